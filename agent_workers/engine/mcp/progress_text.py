"""What a tool says of its progress, as the text of ``tool_output`` events: joined, bounded, and in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from agent_workers.protocol.v1.events import ToolOutput

if TYPE_CHECKING:
    from collections.abc import Callable

_PAUSE_S = 0.05  # between two events
_MAX_CALL = 1 << 20  # bytes that are sent of one call
_MAX_PIECE = 16 << 10  # characters of one event: escaped, they fit a line


class ProgressText:
    """The progress of one call.

    Args:
        tool_use_id: The call.
        send: Takes each event.
    """

    def __init__(self, tool_use_id: str, send: Callable[[ToolOutput], None]) -> None:
        self._tool_use_id = tool_use_id
        self._send = send
        self._waiting = ""
        self._room = _MAX_CALL
        self._cut = 0
        self._said = anyio.Event()

    async def note(self, progress: float, total: float | None, message: str | None) -> None:
        """Takes one message of progress: its words, else its numbers."""
        of = f"/{total:.15g}" if total is not None else ""
        self._add(message if message is not None else f"{progress:.15g}{of}")

    def _add(self, words: str) -> None:
        line = (words if words.endswith("\n") else f"{words}\n").encode("utf-8", "replace")
        kept = line[: self._room]
        self._room -= len(kept)
        self._cut += len(line) - len(kept)
        self._waiting += kept.decode("utf-8", "ignore")
        self._said.set()

    async def keep_sending(self) -> None:
        """Sends what has been said, a few times a second, until cancelled."""
        while True:
            await self._said.wait()
            self._said = anyio.Event()
            self.flush()
            await anyio.sleep(_PAUSE_S)

    def flush(self, *, last: bool = False) -> None:
        """Sends what waits; the last time with how much was left out."""
        text, self._waiting = self._waiting, ""
        pieces = [text[start : start + _MAX_PIECE] for start in range(0, len(text), _MAX_PIECE)]
        if last and self._cut and not pieces:
            pieces = [""]
        for number, piece in enumerate(pieces, 1):
            cut = self._cut if last and self._cut and number == len(pieces) else None
            body = ToolOutput(tool_use_id=self._tool_use_id, stream="stdout", text=piece, truncated_bytes=cut)
            self._send(body)
