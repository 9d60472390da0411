"""Tells what a subagent says as a part of the answer."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def do_subagent(self) -> None:
        self.say("Let me look. ")
        super().do_subagent()


if __name__ == "__main__":
    Broken().main()
