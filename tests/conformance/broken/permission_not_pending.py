"""Has the last decision count, not the first."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def is_pending(self, name: str) -> bool:
        question = self.questions.get(name)
        return super().is_pending(name) or bool(question and question["kind"] == "permission_request")


if __name__ == "__main__":
    Broken().main()
