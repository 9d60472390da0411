"""Takes no request for an empty one."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def decode(self, line: bytes) -> Event:
        return super().decode(line) if line else {}


if __name__ == "__main__":
    Broken().main()
