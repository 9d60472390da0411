"""Takes for granted that a message is an object."""

from tests.conformance.reference import Reference, error


class Broken(Reference):
    def obey(self, line: bytes) -> None:
        if line.startswith(b"["):
            raise error("internal")
        super().obey(line)


if __name__ == "__main__":
    Broken().main()
