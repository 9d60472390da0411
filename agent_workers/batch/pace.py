"""How fast a batch may go: a rate limit that one run meets slows all of them."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from types import TracebackType

    from agent_workers.client.errors import RunFailed

_FIRST_S = 1.0
_LONGEST_S = 60.0
_MOST_DOUBLINGS = 20  # what a float can hold, however long a rate limit lasts
SLOWING = ("rate_limited", "overloaded")
"""Errors that say that all of the host's runs are too many."""


class Pace:
    """Lets so many runs begin at once; fewer after a rate limit, and one more after each run that was done.

    The rule is that of TCP (additive increase, multiplicative decrease, RFC 5681).

    Args:
        most: How many runs may be under way at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._allowed = float(most)
        self._running = 0
        self._open_at = 0.0
        self._limits_in_a_row = 0
        self._changed = anyio.Condition()

    @property
    def allowed(self) -> int:
        """How many runs may be under way at once just now."""
        return max(1, int(self._allowed))

    @property
    def waits_s(self) -> float:
        """Seconds for which no run begins, since the API has asked for that."""
        return max(0.0, self._open_at - time.monotonic())

    async def __aenter__(self) -> None:
        async with self._changed:
            while self._running >= self.allowed:
                await self._changed.wait()
            self._running += 1
        try:
            while self.waits_s:  # noqa: ASYNC110 another rate limit may have put it off
                await anyio.sleep(self.waits_s)
        except BaseException:
            await self._leave()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave()

    async def _leave(self) -> None:
        with anyio.CancelScope(shield=True):
            async with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def note_done(self) -> None:
        """Notes that a run was done."""
        self._limits_in_a_row = 0
        self._allowed = min(self._most, self._allowed + 1 / self._allowed)

    def note_failure(self, failed: RunFailed, attempt: int) -> float:
        """Notes that a run has failed; returns how many seconds to wait before it is tried again."""
        after_s = failed.retry_after_s
        if failed.code not in SLOWING:
            return after_s if after_s is not None else backoff_s(attempt)
        if not self.waits_s:  # the others of the same moment say nothing new
            self._limits_in_a_row += 1
            self._allowed = max(1.0, self._allowed / 2)
        wait_s = after_s if after_s is not None else backoff_s(self._limits_in_a_row)
        self._open_at = max(self._open_at, time.monotonic() + wait_s)
        return backoff_s(attempt)  # so that they do not all begin in the same moment


def backoff_s(attempt: int) -> float:
    """Returns seconds to wait after so many attempts: anything up to a bound that doubles ("full jitter")."""
    return random.uniform(0, min(_LONGEST_S, _FIRST_S * 2 ** min(attempt - 1, _MOST_DOUBLINGS)))  # noqa: S311 no secret
