"""Gives any output."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def do_structured_never(self) -> None:
        raise self.done(output={"nonsense": True})


if __name__ == "__main__":
    Broken().main()
