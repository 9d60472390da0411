"""Takes metadata of any length."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def most_metadata(self) -> int:
        return 1 << 20


if __name__ == "__main__":
    Broken().main()
