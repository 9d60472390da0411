"""Follows a run also where Redis goes away for a while and comes back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import anyio
from redis.exceptions import ConnectionError as RedisGone
from redis.exceptions import TimeoutError as RedisSlow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from agent_workers.fleet.events import Entry
    from agent_workers.fleet.fleet import Fleet

PATIENCE_S = 60.0
"""How long Redis may be away, unless who follows says otherwise."""
_PAUSE_S = 0.5


class RedisAway(Exception):
    """Raised where Redis did not come back in time.

    Attributes:
        after: Id of the last entry that was read; go on after it.
        cause: What the last try said.
    """

    def __init__(self, after: str, cause: Exception) -> None:
        super().__init__(str(cause))
        self.after = after
        self.cause = cause


async def follow_through(
    fleet: Fleet, run: str, after: str, *, patience_s: float, away: Callable[[Exception | None], None]
) -> AsyncIterator[Entry]:
    """Yields a run's events as ``Fleet.follow`` does, and waits for Redis where it is away.

    Args:
        fleet: The fleet.
        run: The run's id.
        after: Id of the last entry that the reader has.
        patience_s: Seconds that Redis may be away.
        away: Is told when Redis has gone, and why; and with None when it is back.

    Raises:
        RedisAway: Redis did not come back in time.
        NoSuchRun: There is no such run, or it has ended too long ago.
    """
    while True:
        try:
            async for entry in fleet.follow(run, after):
                after = entry.id
                yield entry
            return
        except (RedisGone, RedisSlow) as error:
            away(error)
            await _wait_for(fleet, after, error, patience_s)
            away(None)


async def _wait_for(fleet: Fleet, after: str, error: Exception, patience_s: float) -> None:
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        await anyio.sleep(_PAUSE_S)
        try:
            await fleet.redis.ping()
        except (RedisGone, RedisSlow) as again:
            error = again
        else:
            return
    raise RedisAway(after, error)
