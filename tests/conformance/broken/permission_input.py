"""Runs a call with the model's input, whatever was allowed."""

from typing import Any

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def input_of(self, answer: Event, given: Event) -> Any:
        return given


if __name__ == "__main__":
    Broken().main()
