"""Ends when a line cannot be read."""

from tests.conformance.reference import Reference, error


class Broken(Reference):
    def complain(self, code: str) -> None:
        raise error("internal")


if __name__ == "__main__":
    Broken().main()
