"""Leaves open who has settled a question when it is stopped."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def resolve(self, name: str, answer: Event | None, by: str) -> None:
        super().resolve(name, answer, "timeout" if by == "abort" else by)


if __name__ == "__main__":
    Broken().main()
