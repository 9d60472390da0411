"""How fast a batch may go: a rate limit that one run meets slows all of them."""

from __future__ import annotations

import random
import time
from collections import deque
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


class Account:
    """What is known of the account that all runs share: the time that the API has asked for."""

    def __init__(self) -> None:
        self._open_at = 0.0
        self._limits_in_a_row = 0

    @property
    def waits_s(self) -> float:
        """Seconds for which no run begins, since the API has asked for that."""
        return max(0.0, self._open_at - time.monotonic())

    def note_done(self) -> None:
        """Notes that a run was done."""
        self._limits_in_a_row = 0

    def note_limit(self, after_s: float | None) -> bool:
        """Notes a rate limit; says whether it is news, and not what others of the same moment have met."""
        is_news = not self.waits_s
        self._limits_in_a_row += is_news
        wait_s = after_s if after_s is not None else backoff_s(self._limits_in_a_row)
        self._open_at = max(self._open_at, time.monotonic() + wait_s)
        return is_news


class Pace:
    """Lets so many runs begin at once, in their order; fewer after a rate limit, and one more after each that was done.

    The rule is that of TCP (additive increase, multiplicative decrease, RFC 5681).

    Args:
        most: How many runs may be under way at once.
        account: Whose limits they meet; shared with runs of another kind, which have a pace of their own.
    """

    def __init__(self, most: int, account: Account | None = None) -> None:
        self._most = most
        self._account = account or Account()
        self._allowed = float(most)
        self._running = 0
        self._waiting: deque[anyio.Event] = deque()

    @property
    def allowed(self) -> int:
        """How many runs may be under way at once just now."""
        return max(1, int(self._allowed))

    @property
    def waits_s(self) -> float:
        """Seconds for which no run begins, since the API has asked for that."""
        return self._account.waits_s

    async def __aenter__(self) -> None:
        await self._enter()
        try:
            while self.waits_s:  # noqa: ASYNC110 another rate limit may have put it off
                await anyio.sleep(self.waits_s)
        except BaseException:
            self._leave()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    async def _enter(self) -> None:
        if self._running < self.allowed:
            self._running += 1
            return
        turn = anyio.Event()
        self._waiting.append(turn)
        try:
            await turn.wait()
        except BaseException:
            if turn.is_set():
                self._leave()
            else:
                self._waiting.remove(turn)
            raise

    def _leave(self) -> None:
        self._running -= 1
        while self._waiting and self._running < self.allowed:
            self._running += 1
            self._waiting.popleft().set()

    def note_done(self) -> None:
        """Notes that a run was done."""
        self._account.note_done()
        self._allowed = min(self._most, self._allowed + 1 / self._allowed)

    def note_failure(self, failed: RunFailed, attempt: int) -> float:
        """Notes that a run has failed; returns how many seconds to wait before it is tried again."""
        after_s = failed.retry_after_s
        if failed.code not in SLOWING:
            return after_s if after_s is not None else backoff_s(attempt)
        if self._account.note_limit(after_s):
            self._allowed = max(1.0, self._allowed / 2)
        return backoff_s(attempt)  # so that they do not all begin in the same moment


def backoff_s(attempt: int) -> float:
    """Returns seconds to wait after so many attempts: anything up to a bound that doubles ("full jitter")."""
    return random.uniform(0, min(_LONGEST_S, _FIRST_S * 2 ** min(attempt - 1, _MOST_DOUBLINGS)))  # noqa: S311 no secret
