"""Prints a word of its own to stdout in the midst of the run."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def do_text(self) -> None:
        self.write(b"DEBUG: answering\n")
        super().do_text()


if __name__ == "__main__":
    Broken().main()
