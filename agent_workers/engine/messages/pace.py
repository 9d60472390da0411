"""How fast calls may go to the API: what it says of its limits in each answer slows all runs that share this."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import anyio

from agent_workers.engine import awake
from agent_workers.engine.messages.limits import INPUT, OUTPUT, REQUESTS, TOKENS, Bucket, buckets_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_AT_FIRST = 4
"""Calls that begin before any answer has said what the limits are."""
_AT_FIRST_S = 5.0  # for which the others wait for that
_WEIGHT = 0.2  # of the latest call in the average
_LONGEST_S = 60.0  # to wait for a place; a refusal after that says more
_LEAST_TRUST = 0.001
"""Which part of what should have flowed in is counted on before a limit is full again: a gateway may count otherwise
than the API, whose limits fill steadily. It grows with each answer, and a refusal takes most of it."""
_REGAINED = 1.01
_MS = 1000

_held: ContextVar[Call | None] = ContextVar("place", default=None)


class Call:
    """A call that may be made, until it has ended.

    Args:
        queue: Where it has waited.

    Attributes:
        began: When its turn came, ``time.monotonic()``.
        is_heard: Whether its answer has begun, which counts it in.
        is_taken: Whether somebody makes it.
    """

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.began = time.monotonic()
        self.is_heard = False
        self.is_taken = False

    def hear(self, headers: Mapping[str, str]) -> None:
        """Takes note of what the answer says of the limits."""
        self.is_heard = True
        self.queue.hear(self, headers)

    def refuse(self, retry_after_ms: int | None) -> None:
        """Takes note that the answer was a refusal for the limits."""
        self.queue.refuse(retry_after_ms)

    def use(self, input_tokens: int | None, output_tokens: int | None) -> None:
        """Takes note of what it has used up, from which the use of the next ones is guessed."""
        self.queue.use(input_tokens or 0, output_tokens or 0)

    def end(self) -> None:
        """Notes that it is over, or never was made."""
        self.queue.leave(self)


class Queue:
    """The calls of one model, in the order in which they come."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}
        self._is_told = False
        self._mean: dict[str, float] = {}
        self._open_at = 0.0
        self._trust = _LEAST_TRUST
        self._calls: set[Call] = set()
        self._line = anyio.Lock()
        self._changed = anyio.Event()

    async def turn(self) -> Call:
        """Waits until one more call may be made; returns it."""
        async with self._line:
            while (wait_s := self._wait_s()) > 0:
                self._changed = anyio.Event()
                with awake.move_on_after(min(wait_s, _LONGEST_S)):
                    await self._changed.wait()
                if wait_s >= _LONGEST_S and not self._changed.is_set():
                    break
            call = Call(self)
            self._calls.add(call)
            return call

    def leave(self, call: Call) -> None:
        """Notes that a call is over."""
        self._calls.discard(call)
        self._changed.set()

    def hear(self, call: Call, headers: Mapping[str, str]) -> None:
        """Takes note of what an answer says."""
        self._is_told = True
        self._trust = min(1.0, self._trust * _REGAINED)
        for kind, bucket in buckets_of(headers, time.monotonic()):
            known = self._buckets.get(kind)
            if known is None or bucket.is_newer(known, call.began):
                self._buckets[kind] = bucket
        self._changed.set()

    def refuse(self, retry_after_ms: int | None) -> None:
        """Takes note of a refusal: no call begins before the time that the API has named."""
        now = time.monotonic()
        if now >= self._open_at:  # the others of the same moment say nothing new
            self._trust = max(_LEAST_TRUST, self._trust / 4)
        if retry_after_ms is not None:
            self._open_at = max(self._open_at, now + min(retry_after_ms / _MS, _LONGEST_S))

    def use(self, input_tokens: int, output_tokens: int) -> None:
        """Takes note of the tokens of a call."""
        for kind, used in ((INPUT, input_tokens), (OUTPUT, output_tokens), (TOKENS, input_tokens + output_tokens)):
            mean = self._mean.get(kind, float(used))
            self._mean[kind] = mean + _WEIGHT * (used - mean)

    def _wait_s(self) -> float:
        """Returns how long to wait, unless something changes before."""
        now = time.monotonic()
        unheard = [call for call in self._calls if not call.is_heard]
        if not self._is_told and len(unheard) >= _AT_FIRST:
            return min(call.began for call in unheard) + _AT_FIRST_S - now
        wait_s = max(0.0, self._open_at - now)
        for kind, bucket in self._buckets.items():
            need = 1.0 if kind == REQUESTS else self._mean.get(kind, 0.0)
            # Of those that are not heard yet some have been counted; which, only their answers tell.
            ahead = len(self._calls if kind == OUTPUT else unheard)  # an answer's tokens count as they come
            wait_s = max(wait_s, bucket.wait_s(need, need * ahead, now, self._trust))
        return wait_s


class Pace:
    """The view of one account's limits."""

    def __init__(self) -> None:
        self._queues: dict[str, Queue] = {}

    @asynccontextmanager
    async def call(self, model: str) -> AsyncIterator[Call]:
        """Waits for the place of a call, and has it for as long as that takes."""
        call = await self._turn(model)
        try:
            yield call
        finally:
            call.end()

    @asynccontextmanager
    async def place(self, model: str) -> AsyncIterator[None]:
        """Waits for the place of the first call of a run that begins in this block, so that the run need not wait."""
        call = await self._queue(model).turn()
        token = _held.set(call)
        try:
            yield
        finally:
            _held.reset(token)
            if not call.is_taken:
                call.end()

    async def _turn(self, model: str) -> Call:
        queue, held = self._queue(model), _held.get()
        call = held if held and held.queue is queue and not held.is_taken else await queue.turn()
        call.is_taken = True
        return call

    def _queue(self, model: str) -> Queue:
        if model not in self._queues:
            self._queues[model] = Queue()
        return self._queues[model]
