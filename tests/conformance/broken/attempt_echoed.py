"""Forgets which attempt it is."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def echo_start(self) -> Event:
        return {name: value for name, value in super().echo_start().items() if name != "attempt"}


if __name__ == "__main__":
    Broken().main()
