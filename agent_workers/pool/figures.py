"""What the pool has counted since it was started."""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

BUCKETS_S = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30)
"""Bounds of the times to the first delta."""


_RECENT = 1000


@dataclass
class Times:
    """Times of one kind: how many, their sum, how many up to each bound of ``BUCKETS_S``, and the latest of them."""

    count: int = 0
    sum_s: float = 0
    up_to: Counter[float] = field(default_factory=Counter)
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))

    def add(self, seconds: float) -> None:
        """Counts one."""
        self.count += 1
        self.sum_s += seconds
        self.up_to.update(bound for bound in BUCKETS_S if seconds <= bound)
        self.recent.append(seconds)

    def recent_below(self, share: float) -> float:
        """Returns the time that this share of the latest ones does not pass; there must be one."""
        ordered = sorted(self.recent)
        return ordered[math.ceil(share * len(ordered)) - 1]


@dataclass
class Figures:
    """Counts of one pool.

    Attributes:
        served: Runs by what served them: ``cold``, ``warm``, ``live``.
        cold: Why runs were cold.
        ended: Runs by their terminal event, and its code where it has one.
        refused: Requests that no worker got, by code.
        lost: Worker processes that ended in the middle of a run.
        first_delta: Times from the connection to the first delta, by what served the run.
        began: ``time.monotonic()`` of the start.
    """

    served: Counter[str] = field(default_factory=Counter)
    cold: Counter[str] = field(default_factory=Counter)
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    first_delta: dict[str, Times] = field(default_factory=lambda: defaultdict(Times))
    began: float = field(default_factory=time.monotonic)

    def note_way(self, way: str, why: str | None) -> None:
        """Counts a run that has begun."""
        self.served[way] += 1
        if why:
            self.cold[why] += 1

    def note_end(self, way: str, end: Mapping[str, Any]) -> None:
        """Counts a run that has ended."""
        self.ended[end.get("terminal") or "none", end.get("code") or ""] += 1
        if end.get("first_delta_s") is not None:
            self.first_delta[way].add(end["first_delta_s"])
