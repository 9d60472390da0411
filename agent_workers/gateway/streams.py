"""How many streams there are, of whom and from where: no more than the settings let."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from agent_workers.gateway.refusal import Refusal, busy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.gateway.owner import Owner
    from agent_workers.gateway.settings import LimitsTable

_AFTER_MS = 5_000


class Streams:
    """The streams that are open.

    Args:
        limits: How many there may be.
    """

    def __init__(self, limits: LimitsTable) -> None:
        self._limits = limits
        self._users: Counter[Any] = Counter()
        self._addresses: Counter[Any] = Counter()
        self.open = 0

    @contextmanager
    def slot(self, owner: Owner, address: str) -> Iterator[None]:
        """Counts a stream while it is open.

        Raises:
            Refusal: There are too many.
        """
        if self.open >= self._limits.max_streams:
            raise busy()
        if self._users[owner] >= self._limits.streams_per_user:
            raise _too_many("of yours")
        if self._addresses[address] >= self._limits.streams_per_address:
            raise _too_many("from your address")
        self._count(owner, address, 1)
        try:
            yield
        finally:
            self._count(owner, address, -1)

    def _count(self, owner: Owner, address: str, by: int) -> None:
        self.open += by
        for counter, key in ((self._users, owner), (self._addresses, address)):
            counter[key] += by
            if counter[key] <= 0:
                del counter[key]


def _too_many(which: str) -> Refusal:
    words = f"Too many streams {which} are open. Close one, or try again in a moment."
    return Refusal(429, "too_many_streams", words, retry_after_ms=_AFTER_MS)
