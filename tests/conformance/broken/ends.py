"""Waits for the end of stdin before it ends."""

import os

from tests.conformance.reference import Reference


class Broken(Reference):
    def leave(self, status: int) -> None:
        while self.control and os.read(0, 1000):
            pass
        super().leave(status)


if __name__ == "__main__":
    Broken().main()
