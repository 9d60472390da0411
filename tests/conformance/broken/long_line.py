"""Reads lines of 64 KiB at most."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def decode(self, line: bytes) -> Event:
        if len(line) > 1 << 16:
            raise self.refusal(self.problem("", "token too long"))
        return super().decode(line)


if __name__ == "__main__":
    Broken().main()
