"""Connections to the API, in small pools: at each call a pool looks at all of its own, which in a large one is much."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import httpx2

from agent_workers.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from ssl import SSLContext

    from agent_workers.engine.messages.access import Access
    from agent_workers.engine.messages.route import Route

_CONNECT_S = 15
_OF_A_POOL = 16


class Pools:
    """As many connections as are needed, up to a limit.

    Args:
        access: The account.
        connections: How many calls may be under way at once, or a few more; others wait.
    """

    def __init__(self, access: Access, connections: int) -> None:
        self._access = access
        self._most = math.ceil(connections / _OF_A_POOL)
        self._of_a_pool = math.ceil(connections / self._most)
        self._context: SSLContext | None = None
        self._busy: dict[httpx2.AsyncClient, int] = {}

    @asynccontextmanager
    async def stream(self, method: str, url: str, **options: Any) -> AsyncIterator[httpx2.Response]:
        """Yields the answer to a call, of which the body is still to come; the options are those of ``httpx2``."""
        with self._pool() as client:
            async with client.stream(method, url, **options) as response:
                yield response

    @contextmanager
    def _pool(self) -> Iterator[httpx2.AsyncClient]:
        client = min(self._busy, key=self._busy.__getitem__, default=None)
        if client is None or (self._busy[client] >= self._of_a_pool and len(self._busy) < self._most):
            client = self._opened()
            self._busy[client] = 0
        self._busy[client] += 1
        try:
            yield client
        finally:
            self._busy[client] -= 1

    async def close(self) -> None:
        """Closes the connections."""
        for client in self._busy:
            await client.aclose()

    def _opened(self) -> httpx2.AsyncClient:
        try:
            return self._client()
        except (OSError, ValueError, ImportError, httpx2.InvalidURL) as error:  # of a file, an address, a kind of proxy
            told = self._access.shown(str(error))
            cause = f"the proxy or the certificates that the environment names cannot be used: {told}"
            raise GatewayError(cause=cause) from error

    def _client(self) -> httpx2.AsyncClient:
        if self._context is None:  # one for all: certificates take long to load
            self._context = _context(self._access.route, is_open=self._access.base_url.startswith("http://"))
        return httpx2.AsyncClient(
            headers=dict(self._access.headers),
            timeout=httpx2.Timeout(None, connect=_CONNECT_S),  # the run's own watchdog ends a silent one
            limits=httpx2.Limits(max_connections=self._of_a_pool, max_keepalive_connections=self._of_a_pool),
            verify=self._context,
            proxy=self._access.route.proxy,
            trust_env=False,  # the route says what the variables do, which may not be this process's
        )


def _context(route: Route, *, is_open: bool) -> SSLContext:
    if is_open:  # what is not encrypted needs no certificates
        return httpx2.create_ssl_context(verify=False, trust_env=False)
    if route.authorities or route.authorities_dir:
        from ssl import create_default_context  # which httpx2 loads too

        context = create_default_context(cafile=route.authorities, capath=route.authorities_dir)
    else:
        context = httpx2.create_ssl_context(trust_env=False)
    if route.more_authorities:
        context.load_verify_locations(route.more_authorities)
    return context
