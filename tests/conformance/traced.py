"""The reference worker, which tells what a run has used of it: a fault in anything else cannot change that run."""

import sys
from typing import Any

from tests.conformance.reference import Reference


class Traced(Reference):
    """Writes the names of its attributes that were used to stderr, in the end."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        super().__init__()

    def __getattribute__(self, name: str) -> Any:
        if name != "used":
            self.used.add(name)
        return super().__getattribute__(name)

    def leave(self, status: int) -> None:
        sys.stderr.write(f"\nused: {' '.join(self.used)}\n")
        super().leave(status)
