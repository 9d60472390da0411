"""Connections to the fleet's Redis."""

from __future__ import annotations

import re
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
# Stricter than redis-py, which takes part of a password that is not encoded for a host, and tells it.
_ADDRESS = re.compile(
    r"rediss?://(?:[^@/\s]*@)?(?:\[[0-9a-fA-F:.]+\]|[^@/:\[\]\s?]*)(?::\d{1,5})?(?:/\d*)?(?:\?[^\s@]*)?"
    r"|unix://(?:[^@/\s]*@)?/[^@\s]*"
)
_NO_ADDRESS = (
    "The address of Redis is none: it must be redis://HOST:PORT/0, rediss:// likewise, or unix:///PATH. "
    "In a password, what has a meaning in an address is encoded: %40 for @, %2F for /, %3A for :."
)


def options(url: str) -> dict[str, Any]:
    """Returns the settings of a connection to an address, for redis-py and for FastStream."""
    keepalive = {} if url.startswith("unix:") else {"socket_keepalive": True}
    return {
        **keepalive,
        "socket_timeout": _SOCKET_TIMEOUT_S,
        "socket_connect_timeout": _SOCKET_TIMEOUT_S,
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
    if not _ADDRESS.fullmatch(url):
        raise ValueError(_NO_ADDRESS)
    retry = Retry(ExponentialBackoff(cap=1, base=0.05), _RETRIES)
    try:
        redis = Redis.from_url(url, retry=retry, **options(url))
        pool = redis.connection_pool
        pool.connection_class(**pool.connection_kwargs)  # which reads the settings; this one connects to nothing
    except (ValueError, TypeError):  # whose words may have the password
        raise ValueError(_NO_ADDRESS) from None
    return redis


def shown(url: str) -> str:
    """Returns an address without the name, password and settings in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that is none"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
