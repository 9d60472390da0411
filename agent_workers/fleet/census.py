"""How much there is of everything in a fleet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from redis.asyncio import Redis

    from agent_workers.fleet.keys import Keys


@dataclass(frozen=True, slots=True)
class QueueCensus:
    """What a queue has.

    Attributes:
        queue: Its name.
        queued: Jobs that wait for a slot.
        scheduled: Jobs that wait for their time.
        running: Runs that slots have in hand, or are given to.
        asking: Runs that wait for a person's or an application's answer.
        slots: Slots that live, on all machines.
        ended: How many runs have ended, by their state and code (``done``, ``error:overloaded``), and attempts whose
            process has gone (``lost``).
    """

    queue: str
    queued: int
    scheduled: int
    running: int
    asking: int
    slots: int
    ended: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Census:
    """What a fleet has.

    Attributes:
        queues: Each queue, by its name.
        paused: Credentials whose jobs wait, for the API limits their rate.
        dead: Runs that have failed for good, and are kept for a person to look at.
    """

    queues: Sequence[QueueCensus]
    paused: int
    dead: int


async def take_census(redis: Redis, keys: Keys, dead_s: float) -> Census:
    """Counts what there is now.

    Args:
        redis: A client that returns bytes.
        keys: The fleet's keys.
        dead_s: For how long runs that have failed for good are kept.

    Raises:
        RedisError: Redis cannot be asked.
    """
    seconds, micros = cast("Any", await redis.time())
    now_ms = seconds * 1000 + micros // 1000
    pipe = redis.pipeline(transaction=False)
    pipe.smembers(keys.queues)
    pipe.hvals(keys.paused)
    pipe.zcount(keys.dead, now_ms - dead_s * 1000, "+inf")
    names, paused, dead = await pipe.execute()
    queues = [await _queue(redis, keys, name, now_ms) for name in sorted(name.decode() for name in names)]
    return Census(queues, sum(int(till) > now_ms for till in paused), dead)


async def _queue(redis: Redis, keys: Keys, queue: str, now_ms: int) -> QueueCensus:
    pipe = redis.pipeline(transaction=False)
    pipe.zrange(keys.of_queue(queue, "lanes"), 0, -1)
    pipe.zcard(keys.of_queue(queue, "later"))
    pipe.scard(keys.of_queue(queue, "running"))
    pipe.scard(keys.of_queue(queue, "asking"))
    pipe.zcount(keys.of_queue(queue, "slots"), now_ms, "+inf")
    pipe.hgetall(keys.of_queue(queue, "ended"))
    lanes, scheduled, running, asking, slots, ended = await pipe.execute()
    for lane in lanes:
        pipe.zcard(keys.of_queue(queue, f"lane:{lane.decode()}"))
    queued = sum(await pipe.execute()) if lanes else 0
    by_end = {name.decode(): int(count) for name, count in ended.items()}
    return QueueCensus(queue, queued, scheduled, running, asking, slots, by_end)
