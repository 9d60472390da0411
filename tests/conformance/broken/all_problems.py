"""Tells the first problem alone."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def problems(self) -> list[Event]:
        return super().problems()[:1]


if __name__ == "__main__":
    Broken().main()
