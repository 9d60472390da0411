"""Tells what a command prints when it has ended."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def do_tool_output(self) -> None:
        call = self.begin_call("Bash", command="make")
        self.pause(1)
        self.print_out(call, "first\n")
        self.print_out(call, "second\n")
        self.end_call(call, "ok", "first\nsecond\n")


if __name__ == "__main__":
    Broken().main()
