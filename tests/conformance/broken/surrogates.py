"""Fails on half a surrogate pair."""

from tests.conformance.reference import Reference, error


class Broken(Reference):
    def mended(self, text: str) -> str:
        if super().mended(text) != text:
            raise error("internal")
        return text


if __name__ == "__main__":
    Broken().main()
