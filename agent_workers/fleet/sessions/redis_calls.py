"""Calls of Redis, and what becomes of those that it does not answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from agent_workers.errors import StoreUnreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable

_PATIENCE_S = 10


async def answered(call: Awaitable[Any]) -> Any:
    """Returns what Redis answers.

    Raises:
        StoreUnreachable: It does not, or not in time.
    """
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await call
    except (RedisError, OSError) as error:
        raise StoreUnreachable(cause=f"Redis: {type(error).__name__}: {error}") from error


def text(value: Any) -> str:
    """Returns a reply as text, whether or not the client decodes them."""
    return value.decode() if isinstance(value, bytes) else str(value)
