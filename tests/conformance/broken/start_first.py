"""Tells a notice before its start."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def begin(self) -> None:
        self.emit("notice", level="info", code="hello", message="I am about to begin.")
        super().begin()


if __name__ == "__main__":
    Broken().main()
