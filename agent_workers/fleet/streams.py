"""Redis streams as the fleet reads them: ids as text, fields as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from redis.asyncio import Redis

Entry = tuple[str, dict[bytes, bytes]]
"""An entry's id and fields."""
Entries = list[Entry]


async def read(redis: Redis, key: str, after: str, *, block_ms: int, count: int | None = None) -> Entries:
    """Returns what a stream has after an entry; waits for it a while, and returns nothing where nothing comes."""
    found = cast("Any", await redis.xread({key: after}, count=count, block=block_ms))
    return _entries(found[0][1]) if found else []


async def first(redis: Redis, key: str, count: int) -> Entries:
    """Returns a stream's first entries."""
    return _entries(await redis.xrange(key, count=count))


async def last_id(redis: Redis, key: str) -> str | None:
    """Returns the id of a stream's last entry; None where it has none."""
    found = await last(redis, key)
    return found[0] if found else None


async def last(redis: Redis, key: str) -> Entry | None:
    """Returns a stream's last entry; None where it has none."""
    found = _entries(await redis.xrevrange(key, count=1))
    return found[0] if found else None


def _entries(found: Any) -> Entries:
    return [(name.decode(), fields) for name, fields in found]
