"""Counts pieces of text twice."""

from typing import Any

from tests.conformance.reference import Reference


class Broken(Reference):
    def emit(self, kind: str, **fields: Any) -> None:
        if kind == "delta":
            self.seq += 1
        super().emit(kind, **fields)


if __name__ == "__main__":
    Broken().main()
