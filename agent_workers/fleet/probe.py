"""What the fleet needs of its Redis, as it is found."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from agent_workers.fleet.connection import connect

OLDEST = (6, 2)
"""The oldest version of Redis that has the commands."""
_PATIENCE_S = 5


@dataclass(frozen=True, slots=True)
class Found:
    """A Redis that has answered.

    Attributes:
        version: Such as ``7.0.15``.
        role: ``master``, or ``slave`` for a copy of another.
        is_cluster: Whether its keys are spread over many.
        appends: Whether it writes each change to its disk.
        evicts: What it does where its memory is full; ``noeviction`` refuses to write.
        memory_limit: Bytes that it may use; 0 for no limit.
        ahead_s: How far its clock is ahead of this machine's.
    """

    version: str
    role: str
    is_cluster: bool
    appends: bool
    evicts: str
    memory_limit: int
    ahead_s: float

    @property
    def is_old(self) -> bool:
        """Whether it lacks commands that the fleet uses."""
        numbers = [int(part) for part in self.version.split(".")[:2] if part.isdigit()]
        return tuple(numbers) < OLDEST


async def probe(url: str) -> Found:
    """Asks a Redis what it is.

    Raises:
        Trouble: It cannot be reached, or refuses.
        ValueError: The address is none.
    """
    patience = {"socket_timeout": _PATIENCE_S, "socket_connect_timeout": _PATIENCE_S}
    async with connect(url, retry=Retry(NoBackoff(), 0), **patience) as redis:
        info: dict[str, Any] = await redis.info()
        before = time.time()
        seconds, micros = await redis.time()
        here = (before + time.time()) / 2
    return Found(
        str(info.get("redis_version", "0")),
        str(info.get("role", "master")),
        bool(info.get("cluster_enabled", 0)),
        bool(info.get("aof_enabled", 0)),
        str(info.get("maxmemory_policy", "noeviction")),
        int(info.get("maxmemory", 0)),
        seconds + micros / 1e6 - here,
    )
