"""Tells what a tool has printed after its end, too."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def end_call(self, call: str, status: str, content: str) -> None:
        super().end_call(call, status, content)
        self.print_out(call, "late\n")


if __name__ == "__main__":
    Broken().main()
