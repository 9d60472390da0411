"""Does not count what it costs."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def do_priced(self) -> None:
        self.say("It is done.")


if __name__ == "__main__":
    Broken().main()
