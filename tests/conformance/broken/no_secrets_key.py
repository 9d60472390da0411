"""Tells the API key in an error."""

import os

from tests.conformance.reference import Reference, error


class Broken(Reference):
    def do_failing(self) -> None:
        raise error("auth", f"The API refuses the key {os.environ['ANTHROPIC_API_KEY']}.")


if __name__ == "__main__":
    Broken().main()
