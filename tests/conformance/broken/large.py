"""Cuts long texts off."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def do_large(self) -> None:
        self.say("😀" * 20_000)


if __name__ == "__main__":
    Broken().main()
