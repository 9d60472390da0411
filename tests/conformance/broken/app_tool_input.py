"""Hands on any input."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def do_app_tool_wrong_input(self) -> None:
        self.say(self.end_app(self.call_app(town=7)))


if __name__ == "__main__":
    Broken().main()
