"""Connections to the fleet's Redis."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError

Trouble = RedisError
"""What is raised where Redis is away or refuses something."""
BLOCK_MS = 2_000
"""How long a command waits in Redis at most."""
_SOCKET_TIMEOUT_S = 10  # above BLOCK_MS: redis-py's own 5 s would be near it on a busy machine
_RETRIES = 3


def options() -> dict[str, Any]:
    """Returns the settings of a connection, for redis-py and for FastStream."""
    return {
        "socket_timeout": _SOCKET_TIMEOUT_S,
        "socket_connect_timeout": _SOCKET_TIMEOUT_S,
        "socket_keepalive": True,
        "protocol": 2,  # the shapes of answers that are read here
        "health_check_interval": 15,
    }


def connect(url: str) -> Redis:
    """Returns a client, which connects when it is first used.

    Args:
        url: Such as ``redis://127.0.0.1:6379/0``, ``rediss://…`` or ``unix:///run/redis.sock``.

    Raises:
        ValueError: The address is none.
    """
    retry = Retry(ExponentialBackoff(cap=1, base=0.05), _RETRIES)
    return Redis.from_url(url, retry=retry, **options())


def shown(url: str) -> str:
    """Returns an address without the name, password and settings in it."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
