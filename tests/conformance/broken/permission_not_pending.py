"""Has the last decision count, not the first."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def is_pending(self, name: str) -> bool:
        return name in self.questions


if __name__ == "__main__":
    Broken().main()
