"""Takes note of a run's lines on their way to the client, for the pool's log and its metrics."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_workers.stdio.stdout import Stdout

_DELTA = b'"type":"delta"'
_ENVELOPE = 256  # bytes in which an event's type stands


class Watched:
    """An output that notes when the first words come.

    Args:
        out: Takes the lines.

    Attributes:
        first_delta: ``time.monotonic()`` of the first words; None before.
    """

    tells_errors = False

    def __init__(self, out: Stdout) -> None:
        self._out = out
        self.first_delta: float | None = None

    async def send(self, line: bytes) -> None:
        """Writes one line.

        Raises:
            OutputClosed: Nobody reads.
        """
        self._note(line)
        await self._out.send(line)

    def send_now(self, line: bytes) -> None:
        """Writes one line without an event loop.

        Raises:
            OutputClosed: Nobody reads.
        """
        self._note(line)
        self._out.send_now(line)

    async def wait_closed(self) -> None:
        """Returns when the reader has gone."""
        await self._out.wait_closed()

    def _note(self, line: bytes) -> None:
        if self.first_delta is None and _DELTA in line[:_ENVELOPE]:
            self.first_delta = time.monotonic()
