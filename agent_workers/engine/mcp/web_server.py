"""The transport to a server that is reached by HTTP: the client of the ``mcp`` package, and what it leaves to others.

It keeps to the address that the host's policy has granted, and tells when no answer can come any more: the package's
client waits on where the server has closed the connection.
"""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
from mcp.client import streamable_http

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent_workers.protocol.v1.tool_request import HttpToolServer

_CONNECT_S = 30
_QUIET_S = 5  # longer than the package's client waits before it takes up a broken stream again
_LOOK_S = 0.5
_RESUMES = "last-event-id"


@asynccontextmanager
async def web_server(server: HttpToolServer, exchanges: Exchanges) -> AsyncIterator[tuple[Any, Any]]:
    """Yields the streams of a client's session.

    Args:
        server: The server.
        exchanges: Counts what the server has still to answer.
    """
    package: Any = streamable_http  # where either version has what makes its HTTP client
    client: Any = package.create_mcp_http_client(headers=server.headers)
    client.timeout = (_CONNECT_S, None, _CONNECT_S, _CONNECT_S)  # the run has a limit of its own
    client.event_hooks = {"request": [_guard_of(server.url, client), exchanges.begin], "response": [exchanges.follow]}
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(client)
        streams = await stack.enter_async_context(
            streamable_http.streamable_http_client(server.url, http_client=client)
        )
        yield streams[0], streams[1]


def _guard_of(url: str, client: Any) -> Any:
    """Returns what refuses a request to another place than the address: a redirect could lead anywhere."""
    granted = _origin(client.build_request("GET", url).url)

    async def guard(request: Any) -> None:
        if _origin(request.url) != granted:
            raise ConnectionRefusedError("the server redirects to another host")

    return guard


def _origin(url: Any) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


class Exchanges:
    """The requests to the server that it has not answered in full, but for the stream on which it speaks unasked."""

    def __init__(self) -> None:
        self._open = 0
        self._answered = anyio.Event()

    async def begin(self, request: Any) -> None:
        """Notes a request."""
        if _counts(request):
            self._open += 1

    async def follow(self, response: Any) -> None:
        """Notes when the response has been read, or has broken off."""
        if _counts(response.request):
            self._answered.set()
            self._answered = anyio.Event()
            response.stream = _followed(response.stream, self._end)

    def _end(self) -> None:
        self._open -= 1

    async def next_answer(self) -> None:
        """Returns when the server has answered once more."""
        await self._answered.wait()

    async def none_left(self) -> None:
        """Returns when nothing has been open for a while."""
        quiet = 0.0
        while quiet < _QUIET_S:
            await anyio.sleep(_LOOK_S)
            quiet = 0.0 if self._open > 0 else quiet + _LOOK_S


def _counts(request: Any) -> bool:
    return request.method == "POST" or _RESUMES in request.headers


def _followed(stream: Any, end: Any) -> Any:
    base: Any = sys.modules[type(stream).__module__.partition(".")[0]].AsyncByteStream  # httpx, or mcp 2's own

    class Followed(base):  # type: ignore[misc]
        def __init__(self) -> None:
            self._ended = False

        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for chunk in stream:
                yield chunk

        async def aclose(self) -> None:
            if not self._ended:
                self._ended = True
                end()
            await stream.aclose()

    return Followed()
