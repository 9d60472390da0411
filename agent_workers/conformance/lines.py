"""What a worker has written to stdout: line by line, each with its time, and never more than the kit can hold."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from agent_workers.wire import LineFramer

MAX_BYTES = 16 << 20
MAX_LINES = 20_000


@dataclass(frozen=True)
class Line:
    """A line without its newline.

    Attributes:
        at: ``time.monotonic()`` when it was read.
        data: Its bytes.
    """

    at: float
    data: bytes

    @cached_property
    def event(self) -> dict[str, Any]:
        """What it holds; an empty object where that is no JSON object."""
        try:
            event = json.loads(self.data)
        except (ValueError, RecursionError):
            return {}
        return event if isinstance(event, dict) else {}


class Lines:
    """The lines of one run.

    Attributes:
        all: Those that were read, with what stands behind the last newline once ``end`` was called.
        rest: Whether something stood there.
        flooded: Whether it was more than the kit reads.
    """

    def __init__(self) -> None:
        self.all: list[Line] = []
        self.rest = False
        self.flooded = False
        self._framer = LineFramer(MAX_BYTES)
        self._size = 0

    def push(self, chunk: bytes) -> None:
        """Takes what was read."""
        if self.flooded:
            return
        self._size += len(chunk)
        now = time.monotonic()
        self.all += [Line(now, line) for line in self._framer.push(chunk)[: MAX_LINES + 1]]
        self.flooded = self._size > MAX_BYTES or len(self.all) > MAX_LINES

    def end(self) -> None:
        """Takes what stands behind the last newline."""
        if rest := self._framer.rest():
            self.rest = True
            self.all.append(Line(time.monotonic(), rest))
