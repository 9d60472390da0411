"""Lines that go to the provider's batch API together: as many as one batch takes."""

from __future__ import annotations

import secrets
from collections import Counter
from typing import TYPE_CHECKING

from agent_workers.batch.submission import Submission
from agent_workers.client.economy import Offer

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_workers.batch.delivery import Delivery
    from agent_workers.batch.item import Item
    from agent_workers.batch.spool import Spool
    from agent_workers.client.economy import EconomyLane

_PAUSE_S = 2.0
"""How long to wait before lines are sent again, where the API does not say it."""


class Parcels:
    """Packs lines and has them sent.

    Args:
        lane: The batch API.
        delivery: Sends them.
        spool: Keeps them.
        take: Is told of those that were sent, or may have been.
        most_requests: Lines that are sent together at most.
        most_bytes: Bytes of their requests, likewise.

    Attributes:
        unsent: Lines that the API has not taken yet.
        refused: Lines that it will not take.
        others: Why lines could not be packed, and how many.
        trouble: Why lines could not be sent, the last time; empty where that has not happened.
        pause_s: How long to wait before they are sent again.
    """

    def __init__(
        self,
        lane: EconomyLane,
        delivery: Delivery,
        spool: Spool,
        take: Callable[[Submission], None],
        *,
        most_requests: int,
        most_bytes: int,
    ) -> None:
        self.unsent: list[int] = []
        self.refused: list[int] = []
        self.others: Counter[str] = Counter()
        self.trouble = ""
        self.pause_s = 0.0
        self._lane = lane
        self._delivery = delivery
        self._spool = spool
        self._take = take
        self._most_requests = most_requests
        self._most_bytes = most_bytes
        self._begin_next()

    async def put(self, item: Item, *, apart: str = "") -> bool:
        """Packs a line, where the batch API can answer it; says whether it can.

        Args:
            item: What it asks for.
            apart: Why another program runs it; empty where the engine messages does.

        Raises:
            CheckpointUnusable: The checkpoint cannot be written.
        """
        line, offer = item.line, Offer(why=apart)
        if not apart:
            offer = self._lane.offer(item.worker, item.request, self._next.custom_id(line.number))
        if offer.request is None:
            self.others[offer.why] += 1
            return False
        self._spool.add(line)
        self._next.digests[line.number] = line.digest
        self._requests.append(offer.request)
        self._bytes += len(offer.request)
        if len(self._requests) >= self._most_requests or self._bytes >= self._most_bytes:
            await self.send()
        return True

    async def send(self) -> None:
        """Sends what is packed.

        Raises:
            CheckpointUnusable: The checkpoint cannot be written.
        """
        submission, requests = self._next, self._requests
        if not requests:
            return
        self._begin_next()
        fate = await self._delivery.send(submission, requests)
        self.trouble = fate.words or self.trouble
        if fate.kind in ("unknown", "unsent"):
            self.pause_s = max(self.pause_s, fate.pause_s, _PAUSE_S)
        if fate.kind == "unsent":
            self.unsent += submission.digests
        elif fate.kind == "refused":
            self.refused += submission.digests
        else:
            self._take(submission)

    def unpack(self) -> bool:
        """Forgets what is packed; says whether that is something."""
        had_some = bool(self._requests)
        self._begin_next()
        return had_some

    def _begin_next(self) -> None:
        self._next = Submission(secrets.token_hex(8))
        self._requests: list[bytes] = []
        self._bytes = 0
