"""What a tool says of its progress, as the text of ``tool_output`` events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from agent_workers.engine.printed import PIECE_S, Printed

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_workers.protocol.v1.events import ToolOutput


class ProgressText:
    """The progress of one call.

    Args:
        tool_use_id: The call.
        send: Takes each event.
    """

    def __init__(self, tool_use_id: str, send: Callable[[ToolOutput], None]) -> None:
        self._printed = Printed(tool_use_id)
        self._send = send
        self._said = anyio.Event()

    async def note(self, progress: float, total: float | None, message: str | None) -> None:
        """Takes one message of progress: its words, else its numbers, as a line."""
        of = f"/{total:.15g}" if total is not None else ""
        words = message if message is not None else f"{progress:.15g}{of}"
        self._printed.add((words if words.endswith("\n") else f"{words}\n").encode("utf-8", "replace"))
        self._said.set()

    async def keep_sending(self) -> None:
        """Sends what has been said, a few times a second, until cancelled."""
        while True:
            await self._said.wait()
            self._said = anyio.Event()
            if piece := self._printed.piece(anyio.current_time()):
                self._send(piece)
                self._said.set()  # a long text takes several pieces
            await anyio.sleep(PIECE_S)

    def end(self) -> None:
        """Sends what is left, and how much was left out."""
        for piece in self._printed.rest():
            self._send(piece)
