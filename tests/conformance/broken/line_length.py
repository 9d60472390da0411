"""Writes a long delta in one line."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def piece(self) -> int:
        return 1_000_000


if __name__ == "__main__":
    Broken().main()
