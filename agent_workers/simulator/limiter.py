"""A rate limit, as the API tells it in the headers of each answer."""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from agent_workers.simulator.settings import Limit

_NAME = "anthropic-ratelimit-requests-"


@dataclass(frozen=True)
class Verdict:
    """Whether a request may pass, and what its answer says of the limit."""

    passes: bool
    headers: dict[str, str] = field(default_factory=dict)


class Limiter:
    """Counts the requests that passed within the time of a limit, whosever they are."""

    def __init__(self, limit: Limit, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._passed: deque[float] = deque()

    def ask(self) -> Verdict:
        """Returns whether one more request may pass now, and counts it if it does."""
        now = self._clock()
        while self._passed and self._passed[0] <= now - self._limit.per_s:
            self._passed.popleft()
        passes = len(self._passed) < self._limit.requests
        if passes:
            self._passed.append(now)
        return Verdict(passes, self._told(now) if passes else {**self._told(now), "retry-after": self._wait(now)})

    def _told(self, now: float) -> dict[str, str]:
        """Returns the limit, what is left of it, and when all of it is there again."""
        whole = datetime.now(UTC) + timedelta(seconds=self._passed[-1] + self._limit.per_s - now)
        return {
            _NAME + "limit": str(self._limit.requests),
            _NAME + "remaining": str(self._limit.requests - len(self._passed)),
            _NAME + "reset": whole.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }

    def _wait(self, now: float) -> str:
        """Returns the whole seconds after which a request passes."""
        return str(math.ceil(self._passed[0] + self._limit.per_s - now))
