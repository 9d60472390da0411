"""Gives up when a question has no answer."""

from tests.conformance.reference import Event, Reference, error


class Broken(Reference):
    def resolve(self, name: str, answer: Event | None, by: str) -> None:
        kind = self.questions[name]["kind"]
        super().resolve(name, answer, by)
        if (kind, by) == ("question", "timeout"):
            raise error("timeout")


if __name__ == "__main__":
    Broken().main()
