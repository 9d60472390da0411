"""Takes a wrong key for something that passes."""

from tests.conformance.reference import Reference, error


class Broken(Reference):
    def do_failing(self) -> None:
        raise error("auth", retryable=True)


if __name__ == "__main__":
    Broken().main()
