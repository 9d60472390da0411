"""Drops fields that it does not know."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def unknown(self, name: str) -> Event:
        return {**super().unknown(name), "pointer": ""}


if __name__ == "__main__":
    Broken().main()
