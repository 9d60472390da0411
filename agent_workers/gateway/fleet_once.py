"""Remembers used tokens in Redis, for all gateways of a fleet."""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING

from agent_workers.gateway.once import Once

if TYPE_CHECKING:
    from agent_workers.fleet.fleet import Fleet
    from agent_workers.gateway.owner import Owner


class FleetOnce(Once):
    """Remembers them there.

    Args:
        fleet: The fleet.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    async def take(self, owner: Owner, name: str, until: float) -> bool:
        """Uses a token; see ``Once.take``."""
        token = hashlib.sha256(json.dumps([owner.key, name]).encode()).hexdigest()
        key = f"{self._fleet.keys.prefix}:gateway:token:{token}"
        return bool(await self._fleet.redis.set(key, "", nx=True, exat=math.ceil(until)))
