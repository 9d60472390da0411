"""Connections to the fleet's Redis."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from redis.asyncio import Connection, ConnectionPool, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as TimeoutAtRedis

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from redis.asyncio.connection import AbstractConnection as _Base
else:
    _Base = object

Trouble = RedisError
"""What is raised where Redis is away or refuses something."""
BLOCK_MS = 2_000
"""How long a command waits in Redis at most."""
_SOCKET_TIMEOUT_S = 10  # above BLOCK_MS: redis-py's own 5 s would be near it on a busy machine
_RETRIES = 3
# Stricter than redis-py, which takes part of a password that is not encoded for a host, and tells it.
_ADDRESS = re.compile(
    r"rediss?://(?:[^@/\s]*@)?(?:\[[0-9a-fA-F:.]+\]|[^@/:\[\]\s?]*)(?::\d{1,5})?(?:/\d*)?(?:\?[^\s@]*)?"
    r"|unix://(?:[^@/\s]*@)?/[^@\s]*"
)
_NO_ADDRESS = (
    "The address of Redis is none: it must be redis://HOST:PORT/0, rediss:// likewise, or unix:///PATH. "
    "In a password, what has a meaning in an address is encoded: %40 for @, %2F for /, %3A for :."
)

_LEAVES_ITS_CANCEL: Final = sys.version_info < (3, 11, 3)  # the async_timeout package, which redis-py uses there


class _Cancellable(_Base):
    """A connection whose calls can be cancelled at any moment.

    redis-py loses a cancellation that comes just as a command was written, for ``asyncio.wait_for`` does before
    Python 3.12: whoever waits for the cancelled task would wait for ever.
    """

    async def connect_check_health(self, *arguments: Any, **options: Any) -> None:
        await self._cancelled_with(super().connect_check_health(*arguments, **options))

    async def send_packed_command(self, *arguments: Any, **options: Any) -> None:
        await self._cancelled_with(super().send_packed_command(*arguments, **options))

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        return await self._cancelled_with(super().read_response(*arguments, **options))

    async def _cancelled_with(self, call: Coroutine[Any, Any, Any]) -> Any:
        task = asyncio.current_task()
        assert task
        before = task.cancelling()
        try:
            result = await call
        except TimeoutAtRedis:
            while _LEAVES_ITS_CANCEL and task.cancelling() > before:
                task.uncancel()  # else an asyncio.timeout around this takes its own end for a cancellation
            raise
        if task.cancelling() > before:
            await self.disconnect(nowait=True)  # nobody else may get the answer to this call
            raise asyncio.CancelledError
        return result


class _Tcp(_Cancellable, Connection):
    pass


class _Tls(_Cancellable, SSLConnection):
    pass


class _Unix(_Cancellable, UnixDomainSocketConnection):
    pass


_CONNECTIONS: Final = {"redis": _Tcp, "rediss": _Tls, "unix": _Unix}


def options(url: str) -> dict[str, Any]:
    """Returns the settings of a connection to an address, for redis-py and for FastStream."""
    scheme = url.partition(":")[0]
    keepalive = {} if scheme == "unix" else {"socket_keepalive": True}
    return {
        **keepalive,
        "connection_class": _CONNECTIONS.get(scheme, _Tcp),
        "socket_timeout": _SOCKET_TIMEOUT_S,
        "socket_connect_timeout": _SOCKET_TIMEOUT_S,
        "protocol": 2,  # the shapes of answers that are read here
        "health_check_interval": 15,
    }


def connect(url: str, *, retry: Retry | None = None, **others: Any) -> Redis:
    """Returns a client, which connects when it is first used.

    Args:
        url: Such as ``redis://127.0.0.1:6379/0``, ``rediss://…`` or ``unix:///run/redis.sock``.
        retry: How often what failed is tried again; without it, three times, within seconds.
        others: Settings of redis-py in the place of those of ``options``.

    Raises:
        ValueError: The address is none.
    """
    if not _ADDRESS.fullmatch(url):
        raise ValueError(_NO_ADDRESS)
    again = retry or Retry(ExponentialBackoff(cap=1, base=0.05), _RETRIES)
    try:
        pool = ConnectionPool(**{**parse_url(url), **options(url), "retry": again, **others})
        pool.connection_class(**pool.connection_kwargs)  # which reads the settings; this one connects to nothing
    except (ValueError, TypeError):  # whose words may have the password
        raise ValueError(_NO_ADDRESS) from None
    return Redis.from_pool(pool)


def shown(url: str) -> str:
    """Returns an address without the name, password and settings in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that is none"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
