"""Which store an address names."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from agent_workers.fleet.sessions.store import TTL_S

if TYPE_CHECKING:
    from agent_workers.fleet.sessions.store import SessionStore


def open_store(address: str, *, client: Any, prefix: str, ttl_s: int = TTL_S) -> SessionStore:
    """Returns the store that an address names.

    Args:
        address: ``redis:`` for the fleet's own Redis, ``file:///path`` for a directory that all machines share, or
            ``s3://bucket/prefix``.
        client: The fleet's client of Redis, from ``redis.asyncio``.
        prefix: The fleet's prefix.
        ttl_s: For how many seconds a conversation is kept that nobody uses.

    Raises:
        ImportError: The extra ``s3`` is not installed.
        ValueError: It is no such address.
    """
    found = urlsplit(address)
    if address == "redis:":
        from agent_workers.fleet.sessions.redis_store import RedisSessionStore

        return RedisSessionStore(client, prefix, ttl_s=ttl_s)
    if found.scheme == "file" and not found.netloc and found.path.startswith("/"):
        from agent_workers.fleet.sessions.directory_store import DirectorySessionStore

        return DirectorySessionStore(unquote(found.path), ttl_s=ttl_s)
    if found.scheme == "s3" and found.netloc:
        if not find_spec("boto3"):
            words = "boto3 is missing. In a clone of this project: pip install '.[s3]'"
            raise ModuleNotFoundError(words, name="boto3")
        from agent_workers.fleet.sessions.s3_store import S3SessionStore

        return S3SessionStore(found.netloc, found.path.strip("/"))
    raise ValueError("must be redis:, file:///path or s3://bucket/prefix")
