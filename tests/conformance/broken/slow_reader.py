"""Ends without waiting for a reader who is slow."""

import os
import select

from tests.conformance.reference import Reference


class Broken(Reference):
    def write(self, line: bytes) -> None:
        os.set_blocking(self.out, False)
        while line:
            if not select.select([], [self.out], [], 0.7)[1]:
                self.leave(0)
            line = line[os.write(self.out, line) :]


if __name__ == "__main__":
    Broken().main()
