"""Keeps its text until the end."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def do_text(self) -> None:
        self.pause(1.2)
        self.say("one two three")


if __name__ == "__main__":
    Broken().main()
