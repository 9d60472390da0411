"""Takes the first line for the request."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def decode(self, line: bytes) -> Event:
        return super().decode(line.partition(b"\n")[0] if line.startswith(b"{\n") else line)


if __name__ == "__main__":
    Broken().main()
