"""Gives output as text."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def do_structured(self) -> None:
        self.say('{"score": 7, "why": "It is so."}')


if __name__ == "__main__":
    Broken().main()
