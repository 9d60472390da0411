"""Logs the request on stderr."""

import sys

from tests.conformance.reference import Reference


class Broken(Reference):
    def begin(self) -> None:
        sys.stderr.write(f"{self.request}\n")
        super().begin()


if __name__ == "__main__":
    Broken().main()
