"""Makes a run id of its own."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def accept(self) -> None:
        own = self.run
        super().accept()
        self.run = own


if __name__ == "__main__":
    Broken().main()
