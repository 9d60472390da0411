"""Pays no heed to the version."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def accept(self) -> None:
        self.request.pop("v", None)
        super().accept()


if __name__ == "__main__":
    Broken().main()
