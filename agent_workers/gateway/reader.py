"""A stream to one browser: it takes a run's frames from the feed that all readers share, at its own pace."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from agent_workers.convert import FORMATS
from agent_workers.convert.native import NativeEncoder
from agent_workers.gateway.feed import NATIVE
from agent_workers.gateway.track import chunk_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.convert import Encoder
    from agent_workers.gateway.connection import Connection
    from agent_workers.gateway.exchange import Exchange
    from agent_workers.gateway.feed import Feed, Place

HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}
_OF_FORMAT: Mapping[str, Mapping[str, str]] = {"ai-sdk": {"x-vercel-ai-ui-message-stream": "v1"}}
_BACK_MS = 1000
COME_BACK = f"retry: {_BACK_MS}\n\n: come back\n\n"
"""What a reader is told when the gateway leaves: to connect again, with what it has."""
End = Literal["end", "lost", "leave"]


class Reader:
    """One reader of a run.

    Args:
        feed: The run.
        name: The format.
        after: The last event that it has.
        connection: What is written to.
    """

    def __init__(self, feed: Feed, name: str, after: Place, connection: Connection) -> None:
        self._feed = feed
        self._name = name
        self._track = feed.track(name)
        self._at = feed.number_after(after) if name == NATIVE else self._track.first
        self._connection = connection
        self._encoder: Encoder = NativeEncoder(begun=feed.attempt) if name == NATIVE else FORMATS[name]()
        self._over: asyncio.Future[End] = asyncio.get_running_loop().create_future()

    async def serve(self, exchange: Exchange) -> End:
        """Sends the whole stream; says how it has ended."""
        headers = {**HEADERS, **_OF_FORMAT.get(self._name, {}), "x-agent-run": self._feed.run}
        await exchange.begin(200, headers)
        await exchange.send(self._encoder.opening().encode(), more=True)
        self._connection.stream = self
        self._feed.readers.add(self)
        if self._connection.transport.is_closing():  # which nobody hears any more
            self.lost()
        try:
            self.pump()
            end = await self._over
        finally:
            self._feed.readers.discard(self)
            self._connection.stream = None
        if end == "end":
            await exchange.send(self._encoder.closing().encode())
        elif end == "leave":
            await exchange.send(COME_BACK.encode() if self._name == NATIVE else b"")
        return end

    def pump(self) -> None:
        """Writes what there is, as far as the browser takes it."""
        while not self._over.done() and self._connection.full_since is None:
            if self._at < self._track.needed:
                self._end("leave")  # it was slower than what is kept, and comes back to be told so
            elif self._at >= self._track.end:
                if self._feed.last is not None:
                    self._end("end")
                return
            else:
                chunk, self._at = self._track.after(self._at)
                if chunk:
                    self._connection.write(chunk)

    def beat(self) -> None:
        """Writes a heartbeat."""
        if not self._over.done() and self._connection.full_since is None:
            self._connection.write(chunk_of(self._encoder.heartbeat().encode()))

    def lost(self) -> None:
        """Hears that the browser has gone."""
        self._end("lost")

    def leave(self) -> None:
        """Tells the browser to come back, and ends."""
        self._end("leave")

    def _end(self, end: End) -> None:
        if not self._over.done():
            self._over.set_result(end)
