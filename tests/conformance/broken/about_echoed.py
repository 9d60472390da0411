"""Forgets what the run is about."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def echo(self) -> Event:
        return {name: value for name, value in super().echo().items() if name != "goal"}


if __name__ == "__main__":
    Broken().main()
