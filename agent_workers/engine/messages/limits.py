"""What an answer of the API says of the account's limits. Pure.

They are token buckets that fill steadily (docs.claude.com, "Rate limits"): ``remaining`` is what is left of ``limit``,
and at ``reset`` it is full again.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import TYPE_CHECKING

from agent_workers.engine.answer.usage import MOST_COUNT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REQUESTS, INPUT, OUTPUT, TOKENS = "requests", "input-tokens", "output-tokens", "tokens"
_PREFIX = "anthropic-ratelimit-"
_USUAL_S = 60.0  # in which a bucket fills
_LOOK_S = 1.0
_ROUNDED_S = 0.05  # what a time and a way may be off
_MS = 1000


@dataclass(slots=True)
class Bucket:
    """One limit, as the API has told it.

    Attributes:
        limit: What there is at most.
        left: What was left.
        at: When that was so, ``time.monotonic()``.
        full_at: When all of it is there again.
        reset: The same, as seconds of the API's clock.
    """

    limit: float
    left: float
    at: float
    full_at: float
    reset: float

    def is_newer(self, known: Bucket, asked_at: float) -> bool:
        """Tells whether the API has said this later than what is known, for answers overtake each other.

        It has where it was asked after that had come; else each call puts off when the bucket is full again.

        Args:
            known: What is known.
            asked_at: When the call began that has told this, ``time.monotonic()``.
        """
        return asked_at > known.at or (self.reset, -self.left) > (known.reset, -known.left)

    def level(self, now: float, trust: float) -> float:
        """Returns what is left now.

        Args:
            now: ``time.monotonic()``.
            trust: Which part of what should have flowed in since counts before it is full.
        """
        if now >= self.full_at:
            return self.limit
        return min(self.limit, self.left + self._per_s * trust * (now - self.at))

    def wait_s(self, need: float, ahead: float, now: float, trust: float) -> float:
        """Returns in how many seconds there is enough for a call, or it is worth another look.

        Args:
            need: What the call takes.
            ahead: What others take that the API has not counted yet.
            now: ``time.monotonic()``.
            trust: As for ``level``.
        """
        missing = min(need, self.limit) + ahead - self.level(now, trust)
        if missing <= 0:
            return 0.0
        return min(missing / (self._per_s * trust), self.full_at - now) if now < self.full_at else _LOOK_S

    @property
    def _per_s(self) -> float:
        used, span_s = self.limit - self.left, self.full_at - self.at
        return used / span_s if used > 0 and span_s > 0 else self.limit / _USUAL_S


def buckets_of(headers: Mapping[str, str], now: float) -> Iterator[tuple[str, Bucket]]:
    """Yields what an answer tells, each with its kind.

    Args:
        headers: Those of the answer.
        now: ``time.monotonic()``.
    """
    for kind in (REQUESTS, INPUT, OUTPUT, TOKENS):
        with suppress(KeyError, ValueError, OverflowError):
            limit, left = (float(headers[f"{_PREFIX}{kind}-{name}"]) for name in ("limit", "remaining"))
            reset = datetime.fromisoformat(headers[f"{_PREFIX}{kind}-reset"]).timestamp()
            if limit > 0 and isfinite(limit) and isfinite(left):
                yield kind, Bucket(limit, left, now, now + max(0.0, reset - time.time()) + _ROUNDED_S, reset)


def retry_after_ms(headers: Mapping[str, str]) -> int | None:
    """Returns how long the API asks to wait, in milliseconds; None where it does not say."""
    with suppress(KeyError, ValueError, OverflowError):
        return _bounded(float(headers["retry-after-ms"]))
    said = headers.get("retry-after", "")
    with suppress(ValueError, OverflowError):
        return _bounded(float(said) * _MS)
    with suppress(ValueError, TypeError, OverflowError):
        return _bounded((parsedate_to_datetime(said).timestamp() - time.time()) * _MS)
    return None


def _bounded(wait_ms: float) -> int:
    return max(0, min(round(wait_ms), MOST_COUNT))
