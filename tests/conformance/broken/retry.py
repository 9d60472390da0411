"""Sends the text of both attempts."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def discard(self) -> None:
        self.block += 1


if __name__ == "__main__":
    Broken().main()
