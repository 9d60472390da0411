"""Looks for unknown fields at the top alone."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def within(self, group: str, known: tuple[str, ...]) -> list[Event]:
        return []


if __name__ == "__main__":
    Broken().main()
