"""A run on a connected machine: a worker process, and those of its lines that the gateway does not have yet."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from agent_workers.connect.messages import End, Line
from agent_workers.protocol.v1.envelope import TERMINAL
from agent_workers.wire import MAX_LINE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent_workers.client import AsyncProcessRunner, AsyncRun

logger = logging.getLogger("agent_workers.connect")

_KEPT = 1 << 20
"""Bytes of lines that wait for the gateway; then the worker waits, too."""


class ServedRun:
    """One run.

    Args:
        run: Its id.
        runner: Starts its worker.
        request: Its request.
        news: Hears that there is something to send.

    Attributes:
        received: The number of the gateway's last message.
        end: Why it ended without a terminal event.
        is_told: Whether its terminal event is there to be sent.
        is_over: Whether its worker has gone.
    """

    def __init__(
        self, run: str, runner: AsyncProcessRunner, request: Mapping[str, Any], news: Callable[[], None]
    ) -> None:
        self.run = run
        self.received = 0
        self.end: End | None = None
        self.is_told = False
        self.is_over = False
        self._stream: AsyncRun = runner.stream(request)
        self._news = news
        self._told: list[Mapping[str, Any]] = []
        self._lines: deque[Line] = deque()
        self._size = 0
        self._count = 0
        self._sent = 0
        self._is_dropped = False
        self._room = asyncio.Event()
        self._room.set()

    @property
    def is_settled(self) -> bool:
        """Whether it has ended, and nothing of it waits."""
        return self.is_over and (self._is_dropped or not self._lines)

    async def play(self) -> None:
        """Runs the worker to its end."""
        try:
            async with self._stream:
                async for event in self._stream:
                    self.is_told = event["type"] in TERMINAL
                    while self._told:
                        self._stream.send(self._told.pop(0))
                    self._keep(self._stream.line)
                    await self._room.wait()
        finally:
            self.is_over = True
            self._news()

    def tell(self, message: Mapping[str, Any]) -> None:
        """Sends a control message, or keeps it until the worker is there."""
        if self._stream.has_begun:
            self._stream.send(message)
        else:
            self._told.append(message)

    def drop(self) -> None:
        """Stops the worker; nobody wants to hear of it."""
        self._is_dropped = True
        self._lines.clear()
        self._room.set()
        self._stream.stop()

    def stop(self) -> None:
        """Stops the worker, whose end is still told."""
        self._stream.stop()

    def resume(self, taken: int) -> None:
        """Begins anew after the last line that the gateway has."""
        self.taken(taken)
        self._sent = max(0, self._count - len(self._lines))

    def taken(self, number: int) -> None:
        """Forgets the lines that the gateway has."""
        while self._lines and self._lines[0].n <= number:
            self._size -= len(self._lines.popleft().line)
        if self._size < _KEPT:
            self._room.set()

    def next(self) -> Line | None:
        """Returns a line that was not sent on this connection."""
        place = self._sent - (self._count - len(self._lines))
        if place >= len(self._lines) or self._is_dropped:
            return None
        self._sent += 1
        return self._lines[max(0, place)]

    def _keep(self, line: bytes) -> None:
        if self._is_dropped:
            return
        if len(line) >= MAX_LINE or not line.isascii():
            logger.error("run %s: its worker has written a line that the contract does not allow", self.run)
            self.end = End(run=self.run, reason="line_too_long")
            self.drop()
            return
        self._count += 1
        self._lines.append(Line(run=self.run, n=self._count, line=line.decode("ascii")))
        self._size += len(line)
        if self._size >= _KEPT:
            self._room.clear()
        self._news()
