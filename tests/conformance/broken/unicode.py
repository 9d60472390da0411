"""Reads stdin as Latin-1."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def decode(self, line: bytes) -> Event:
        if self.control:
            return super().decode(line)
        return super().decode(line.decode("latin-1").encode())


if __name__ == "__main__":
    Broken().main()
