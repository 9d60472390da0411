"""Remembers which tokens were used that hold once, for as long as they would hold."""

from __future__ import annotations

import heapq
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agent_workers.gateway.owner import Owner


class Once(Protocol):
    """What remembers used tokens."""

    async def take(self, owner: Owner, name: str, until: float) -> bool:
        """Uses a token; says whether it was not used before.

        Args:
            owner: Whose it is.
            name: Its ``jti``.
            until: When it ends, in seconds since the epoch.
        """
        ...


class OnceHere(Once):
    """Remembers them in this process."""

    def __init__(self) -> None:
        self._used: set[tuple[Owner, str]] = set()
        self._ends: list[tuple[float, tuple[Owner, str]]] = []

    async def take(self, owner: Owner, name: str, until: float) -> bool:
        """Uses a token; see ``Once.take``."""
        while self._ends and self._ends[0][0] < time.time():
            self._used.discard(heapq.heappop(self._ends)[1])
        key = (owner, name)
        if key in self._used:
            return False
        self._used.add(key)
        heapq.heappush(self._ends, (until, key))
        return True
