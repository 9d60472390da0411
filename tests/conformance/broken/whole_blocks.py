"""Sends pieces to those who want whole blocks."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def do_text(self) -> None:
        self.request.pop("stream", None)
        super().do_text()


if __name__ == "__main__":
    Broken().main()
