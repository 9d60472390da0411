"""How many runs a queue or a tenant may have at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, cast

from agent_workers.fleet.lines import around_run
from agent_workers.protocol.v1.fields import QUEUE_NAME, SHOWN_TEXT

if TYPE_CHECKING:
    from agent_workers.fleet.fleet import Fleet

Kind = Literal["queue", "tenant"]
ALL = "*"
"""Stands for those that have no limit of their own."""
_NAMES = {"queue": QUEUE_NAME, "tenant": SHOWN_TEXT}
_LONGEST = 128


def is_name(kind: Kind, name: str) -> bool:
    """Whether a queue or a tenant may be called so."""
    return name == ALL or bool(re.fullmatch(_NAMES[kind], name) and len(name) <= _LONGEST)


async def limits(fleet: Fleet) -> dict[Kind, dict[str, int]]:
    """Returns the limits of queues and tenants by their names."""
    found: dict[Kind, dict[str, int]] = {"queue": {}, "tenant": {}}
    for field, number in sorted((await cast("Any", fleet.redis.hgetall(fleet.keys.limits))).items()):
        kind, _, name = field.decode().partition(":")
        if kind in found:
            found[cast("Kind", kind)][name] = int(number)
    return found


async def set_limit(fleet: Fleet, kind: Kind, name: str, most: int) -> None:
    """Sets a limit; what waits and fits begins at once, and what runs beyond it goes on."""
    await cast("Any", fleet.redis.hset(fleet.keys.limits, f"{kind}:{name}", str(most)))
    await _begin(fleet, kind, name)


async def unset_limit(fleet: Fleet, kind: Kind, name: str) -> bool:
    """Takes a limit away; returns whether there was one. What waits and fits begins at once."""
    was_there = bool(await cast("Any", fleet.redis.hdel(fleet.keys.limits, f"{kind}:{name}")))
    await _begin(fleet, kind, name)
    return was_there


async def _begin(fleet: Fleet, kind: Kind, name: str) -> None:
    queues = [queue.decode() for queue in await cast("Any", fleet.redis.smembers(fleet.keys.queues))]
    for queue in queues:
        if kind == "tenant" or name in (ALL, queue):
            await fleet.scripts.tick(queue, *around_run())
