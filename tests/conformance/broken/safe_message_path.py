"""Tells users where a file of the host is."""

from tests.conformance.reference import Reference, error


class Broken(Reference):
    def do_failing(self) -> None:
        raise error("auth", "cannot open /usr/lib/worker/key.pem: no such file")


if __name__ == "__main__":
    Broken().main()
