"""One connection of a browser, over uvicorn's: bounded in time while it sends, and in memory while it reads."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from uvicorn.protocols.http.h11_impl import H11Protocol

from agent_workers.gateway.track import data_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    import h11

    from agent_workers.gateway.settings import LimitsTable

EXTENSION = "agent_workers.connection"
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 97\r\n"
    b"Retry-After: 5\r\nConnection: close\r\n\r\n"
    b'{"message":"The server is busy. Try again in a moment.","code":"server_busy","retryable":true}\n  '
)


class Stream(Protocol):
    """What a connection's response is made of, while it is a stream."""

    def pump(self) -> None:
        """Hears that there is room for more."""
        ...

    def lost(self) -> None:
        """Hears that the connection has gone."""
        ...


class Connection(H11Protocol):
    """A connection.

    Args:
        limits: How much it may take.
        given: What uvicorn gives to its own.

    Attributes:
        stream: What is sent; None while nothing is.
        full_since: Since when the browser takes nothing, by ``time.monotonic``; None where it does.
    """

    def __init__(self, limits: LimitsTable, **given: Any) -> None:
        super().__init__(**given)
        self.stream: Stream | None = None
        self.full_since: float | None = None
        self._limits = limits
        self._head: asyncio.TimerHandle | None = None
        inner: Any = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope["extensions"] = {EXTENSION: self}
            await inner(scope, receive, send)

        self.app = app

    @property
    def address(self) -> str:
        """Where it comes from, if no proxy is believed."""
        return str(self.client[0]) if self.client else "local"

    def write(self, chunk: bytes) -> None:
        """Writes a chunk of a response that has begun, past the ASGI server: for the many who get the same bytes."""
        is_chunked = self.scope["http_version"] != "1.0"
        self.transport.write(chunk if is_chunked else data_of(chunk))

    def abort(self) -> None:
        """Ends it at once, whatever waits to be sent."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins, and waits for a request's head for so long and no longer."""
        super().connection_made(transport)
        if len(self.connections) > self._limits.max_connections:
            transport.write(_FULL)
            transport.close()
            return
        self._expect()

    def data_received(self, data: bytes) -> None:
        """Takes what has come."""
        if self._is_idle():
            self._expect()
        super().data_received(data)
        if not self._is_idle():
            self._stop_expecting()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hands the connection over: from now on it is a machine's."""
        self._stop_expecting()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells the stream."""
        self._stop_expecting()
        super().connection_lost(exc)
        if self.stream:
            self.stream.lost()

    def pause_writing(self) -> None:
        """Hears that the browser takes less than comes."""
        super().pause_writing()
        self.full_since = time.monotonic()

    def resume_writing(self) -> None:
        """Hears that there is room again."""
        super().resume_writing()
        self.full_since = None
        if self.stream:
            self.stream.pump()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _expect(self) -> None:
        if self._head is None:
            self._head = self.loop.call_later(self._limits.head_s, self.abort)

    def _stop_expecting(self) -> None:
        if self._head:
            self._head.cancel()
            self._head = None


def connections(limits: LimitsTable) -> Callable[..., Connection]:
    """Returns what makes the connections of a server."""
    return partial(Connection, limits)
