"""How fast calls may go to the API: what it says of its limits in each answer slows all runs that share this.

The limits are token buckets that fill steadily (docs.claude.com, "Rate limits"): ``remaining`` is what is left of
``limit``, and at ``reset`` it is full again.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from agent_workers.engine import awake

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX = "anthropic-ratelimit-"
_KINDS = ("requests", "input-tokens", "output-tokens", "tokens")
_WEIGHT = 0.2  # of the latest call in the average
_LONGEST_S = 60.0  # to wait for a place; a refusal after that says more
_MS = 1000


@dataclass(slots=True)
class _Bucket:
    limit: float
    left: float
    full_at: float
    per_s: float
    at: float  # the time for which this holds

    def fill(self, now: float) -> None:
        """Adds what has come since."""
        self.left = min(self.limit, self.left + self.per_s * (now - self.at))
        self.at = now


class Pace:
    """The view of one account's limits.

    Attributes:
        refused: How many calls the API has refused for its limits.
    """

    def __init__(self) -> None:
        self.refused = 0
        self._buckets: dict[str, _Bucket] = {}
        self._mean: dict[str, float] = {}
        self._open_at = 0.0

    def place_s(self) -> float:
        """Takes a place for a call; returns in how many seconds it may begin."""
        now = time.monotonic()
        wait_s = max(0.0, self._open_at - now)
        for kind, bucket in self._buckets.items():
            bucket.fill(now)
            bucket.left -= 1.0 if kind == "requests" else self._mean.get(kind, 0.0)
            if bucket.left < 0 and bucket.per_s > 0:
                wait_s = max(wait_s, -bucket.left / bucket.per_s)
        return min(wait_s, _LONGEST_S)

    async def wait(self) -> None:
        """Waits for the place of a call."""
        wait_s = self.place_s()
        while wait_s > 0:
            await awake.sleep(wait_s)
            wait_s = max(0.0, self._open_at - time.monotonic())  # another call may have been refused meanwhile

    def note(self, headers: Mapping[str, str]) -> None:
        """Takes note of what an answer says of the limits."""
        for kind in _KINDS:
            with suppress(KeyError, ValueError):
                limit, left = (float(headers[f"{_PREFIX}{kind}-{name}"]) for name in ("limit", "remaining"))
                full_in_s = _until(headers[f"{_PREFIX}{kind}-reset"])
                per_s = (limit - left) / full_in_s if full_in_s > 0 else 0.0
                known = self._buckets.get(kind)
                now = time.monotonic()
                if known:
                    known.fill(now)
                if known is None or known.full_at <= now or left < known.left:
                    self._buckets[kind] = _Bucket(limit, left, now + full_in_s, per_s, now)

    def note_usage(self, input_tokens: int | None, output_tokens: int | None) -> None:
        """Takes note of what a call has used up, from which the next one's use is guessed."""
        total = (input_tokens or 0) + (output_tokens or 0)
        for kind, used in (("input-tokens", input_tokens), ("output-tokens", output_tokens), ("tokens", total)):
            mean = self._mean.get(kind)
            self._mean[kind] = float(used or 0) if mean is None else mean + _WEIGHT * ((used or 0) - mean)

    def note_refusal(self, retry_after_ms: int | None) -> None:
        """Takes note of a refusal: no call begins before the time that the API has named."""
        self.refused += 1
        if retry_after_ms is not None:
            self._open_at = max(self._open_at, time.monotonic() + min(retry_after_ms / _MS, _LONGEST_S))


def retry_after_ms(headers: Mapping[str, str]) -> int | None:
    """Returns how long the API asks to wait, in milliseconds; None where it does not say."""
    with suppress(KeyError, ValueError, OverflowError):
        return max(0, round(float(headers["retry-after-ms"])))
    said = headers.get("retry-after", "")
    with suppress(ValueError, OverflowError):
        return max(0, round(float(said) * _MS))
    with suppress(ValueError, TypeError):
        return max(0, round((parsedate_to_datetime(said).timestamp() - time.time()) * _MS))
    return None


def _until(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp() - time.time()
