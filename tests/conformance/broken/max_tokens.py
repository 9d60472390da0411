"""Takes half an answer for a whole one."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def do_max_tokens(self) -> None:
        self.say("It is a long")


if __name__ == "__main__":
    Broken().main()
