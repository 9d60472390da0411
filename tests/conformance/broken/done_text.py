"""Strips the text in the end."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def final_text(self) -> str:
        return super().final_text().strip()


if __name__ == "__main__":
    Broken().main()
