"""Which store an address names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from agent_workers.fleet.sessions.store import TTL_S

if TYPE_CHECKING:
    from agent_workers.fleet.sessions.store import SessionStore


def open_store(address: str, *, client: Any, prefix: str, ttl_s: int = TTL_S) -> SessionStore:
    """Returns the store that an address names.

    Args:
        address: ``redis:`` for the fleet's own Redis, or ``file:///path`` for a directory that all machines share.
        client: The fleet's client of Redis, from ``redis.asyncio``.
        prefix: The fleet's prefix.
        ttl_s: For how many seconds a conversation is kept that nobody uses.

    Raises:
        ValueError: It is no such address.
    """
    found = urlsplit(address)
    if address == "redis:":
        from agent_workers.fleet.sessions.redis_store import RedisSessionStore

        return RedisSessionStore(client, prefix, ttl_s=ttl_s)
    if found.scheme == "file" and not found.netloc and found.path.startswith("/"):
        from agent_workers.fleet.sessions.directory_store import DirectorySessionStore

        return DirectorySessionStore(unquote(found.path), ttl_s=ttl_s)
    raise ValueError("must be redis: or file:///path")
