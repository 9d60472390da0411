"""Does not tell that it tries again."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def announce_retry(self) -> None:
        pass


if __name__ == "__main__":
    Broken().main()
