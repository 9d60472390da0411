"""Takes a refusal for an error."""

from tests.conformance.reference import Reference, error


class Broken(Reference):
    def do_refusal(self) -> None:
        raise error("server_error")


if __name__ == "__main__":
    Broken().main()
