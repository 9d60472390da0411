"""Writes half a line where the end should be: the newline is missing."""

import os

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def leave(self, status: int) -> None:
        os._exit(status)

    def finish(self, terminal: Event) -> None:
        self.half = True
        super().finish(terminal)

    def encode(self, event: Event) -> bytes:
        line = super().encode(event)
        return line[:-1] if getattr(self, "half", False) else line


if __name__ == "__main__":
    Broken().main()
