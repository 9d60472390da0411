"""Logs the API key, and much after it."""

import os
import sys

from tests.conformance.reference import Reference


class Broken(Reference):
    def begin(self) -> None:
        words = f"key {os.environ['ANTHROPIC_API_KEY']}\n"
        sys.stderr.write("x" * 100_000 + words + "x" * 100_000)
        super().begin()


if __name__ == "__main__":
    Broken().main()
