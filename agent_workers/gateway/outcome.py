"""Waits for a run's end, for whoever wants that and nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agent_workers.gateway.refusal import busy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.gateway.connection import Connection
    from agent_workers.gateway.feed import Feed


class _Waiting:
    """A reader that looks at the end alone."""

    def __init__(self, feed: Feed) -> None:
        self.over: asyncio.Future[Mapping[str, Any] | None] = asyncio.get_running_loop().create_future()
        self._feed = feed

    def pump(self) -> None:
        if self._feed.last is not None and not self.over.done():
            self.over.set_result(self._feed.last)

    def beat(self) -> None:
        """Has nothing to send before the end."""

    def leave(self) -> None:
        if not self.over.done():
            self.over.set_exception(busy("The server restarts. The run goes on.", after_ms=1000))

    def lost(self) -> None:
        if not self.over.done():
            self.over.set_result(None)


async def outcome_of(feed: Feed, connection: Connection) -> Mapping[str, Any] | None:
    """Returns a run's terminal event; None where whoever waits for it has gone.

    Raises:
        Refusal: The gateway leaves before the run ends.
    """
    waiting = _Waiting(feed)
    feed.readers.add(waiting)
    connection.stream = waiting
    try:
        waiting.pump()
        return await waiting.over
    finally:
        feed.readers.discard(waiting)
        connection.stream = None
