"""Ends the run when a result does not come."""

from tests.conformance.reference import Reference, error


class Broken(Reference):
    def end_call(self, call: str, status: str, content: str) -> None:
        if content.startswith("There was no result"):
            raise error("timeout")
        super().end_call(call, status, content)


if __name__ == "__main__":
    Broken().main()
