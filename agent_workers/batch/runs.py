"""The runs of a batch's lines: where each is made, how often it is tried, and what it has come to."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import anyio
import stamina

from agent_workers.batch.item import BadLine, attempt_of, numbered, whole
from agent_workers.batch.pace import SLOWING
from agent_workers.batch.result import done, not_done, refused
from agent_workers.client.choice import ChosenRunner
from agent_workers.client.errors import RunError, RunFailed
from agent_workers.protocol.v1.envelope import TERMINAL, attempt_begun

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager

    from agent_workers.batch.economy import Economy
    from agent_workers.batch.item import Item, Line
    from agent_workers.batch.lanes import Lane, Lanes
    from agent_workers.batch.result import Record
    from agent_workers.batch.sink import Sink
    from agent_workers.batch.totals import Totals
    from agent_workers.client.aio import AsyncRun, AsyncRunner
    from agent_workers.client.economy import ApiResult
    from agent_workers.client.event import Event
    from agent_workers.client.result import Result


class Work:
    """A line under way.

    Attributes:
        line: The line.
        asked: What it asks for, or why that cannot be run.
        lane: The lane of its runs.
        answered: What the batch API has said to its first call, where it was sent there.
        run: Its run, while there is one.
        waiting: Cancelled where it waits for a run and there will be none.
        failed: How its last attempt has failed.
        attempts: How often it was begun.
        counted: How many of its attempts count.
        done_before: How many runs were done when the last attempt failed.
        ends: The terminal events of its attempts.
        engine: What did the work of the last one that has begun, as far as that is known.
        is_chained: Whether its worker has chained its lines.
    """

    def __init__(self, line: Line, asked: Item | BadLine, lane: Lane, answered: ApiResult | None) -> None:
        self.line = line
        self.asked = asked
        self.lane = lane
        self.answered = answered
        self.run: AsyncRun | None = None
        self.waiting = anyio.CancelScope()
        self.failed: RunError | None = None
        self.attempts = 0
        self.counted = 0
        self.done_before: int | None = None
        self.ends: list[Event] = []
        self.engine: str | None = None
        self.is_chained = False

    @property
    def is_answer_left(self) -> bool:
        """Whether the batch API has an answer that no attempt has taken, since this host could not even begin."""
        has_answer = self.answered is not None and self.answered.message is not None
        return has_answer and not any(end.get("usage") for end in self.ends)


class Runs:
    """Has lines run.

    Args:
        runners: What runs the requests of each worker, by its name.
        sink: Is told of the events.
        totals: Counts.
        lanes: Where runs wait for their turn.
        attempts: How often one request is tried.
        wants_events: Whether the sink does anything with events; else answers need not come in pieces.
        economy: Where lines were sent that waited for the provider's batch API; None for nowhere.
    """

    def __init__(
        self,
        runners: Mapping[str, AsyncRunner],
        sink: Sink,
        totals: Totals,
        lanes: Lanes,
        *,
        attempts: int,
        wants_events: bool,
        economy: Economy | None,
    ) -> None:
        stamina.instrumentation.set_on_retry_hooks([])  # which write to stderr
        self._runners = runners
        self._sink = sink
        self._totals = totals
        self._lanes = lanes
        self._attempts = attempts
        self._wants_events = wants_events
        self._economy = economy

    def apart(self, item: Item) -> str:
        """Returns why a request is run in a process of its own; empty where it is run in this one."""
        runner = self._runners[item.worker]
        if not isinstance(runner, ChosenRunner):
            return f"of a program that was set for {item.worker}"
        return "" if runner.runs_here(item.request) else "of the engine agent"

    async def record(self, work: Work) -> Record | None:
        """Has a line run; returns what it came to, None where it was not run at all."""
        item = work.asked
        if isinstance(item, BadLine):
            return refused(work.line, item)
        ended: Result | None = None
        with work.waiting:
            try:
                ended = await self._result(item, work)
            except RunError as failed:
                work.failed = failed
        if ended:
            await self._sink.event(ended.event)
            return done(item, ended, work.ends, work.engine)
        if work.failed:  # also where a next attempt will not be
            await self._sink.event(work.failed.event)
            return not_done(item, work.failed.event, work.ends, work.engine, retryable=work.is_answer_left)
        return None

    async def _result(self, item: Item, work: Work) -> Result:
        pace = work.lane.pace

        def again(error: Exception) -> bool | float:
            if not isinstance(error, RunFailed) or not error.retryable:
                return False
            pause_s = pace.note_failure(error, work.attempts)
            # A rate limit is not this run's alone: while others get through, it will, too.
            work.counted += error.code not in SLOWING or work.done_before in (None, self._totals.done)
            work.done_before = self._totals.done
            return pause_s if self._totals.stopped is None and work.counted < self._attempts else False

        async for attempt in stamina.retry_context(on=again, attempts=None, timeout=None):
            with attempt:
                async with pace, self._place(item, work):
                    result = await self._attempt(item, work)
                pace.note_done()
                return result
        raise AssertionError("an attempt returns or raises")

    def _place(self, item: Item, work: Work) -> AbstractAsyncContextManager[None]:
        """Waits for the API's limits, where that is known before a run."""
        runner = self._runners[item.worker]
        if work.lane is self._lanes.here and isinstance(runner, ChosenRunner) and self._economy is None:
            return runner.here.place(item.request)
        return nullcontext()  # a run of the economy lane waits itself, where it is not answered before

    def _begun(self, item: Item, work: Work) -> AsyncRun:
        if work.is_chained:  # what it has written cannot be numbered here
            item = numbered(item, work.attempts)
        if work.lane is self._lanes.here and not self._wants_events:
            item = whole(item)
        if self._economy and work.lane is self._lanes.here:
            return self._economy.run(item, work.answered if work.attempts == 1 or work.is_answer_left else None)
        runner = self._runners[item.worker]
        if isinstance(runner, ChosenRunner):
            runner = runner.here if work.lane is self._lanes.here else runner.apart
        return runner.stream(item.request)

    async def _attempt(self, item: Item, work: Work) -> Result:
        work.attempts += 1
        self._totals.running += 1
        try:
            async with self._begun(item, work) as run:
                work.run = run
                async for event in run:
                    work.is_chained |= "prev" in event
                    if event["type"] == "start":
                        work.engine = event.get("engine")
                        event = _numbered(event, attempt_of(item, work.attempts))  # noqa: PLW2901 the same event, as the batch tells it
                    if event["type"] not in TERMINAL:
                        await self._sink.event(event)
                result = await run.result()
                work.ends.append(result.event)
                return result
        except RunError as failed:
            work.failed = failed
            work.ends.append(failed.event)
            raise
        finally:
            work.run = None
            self._totals.running -= 1


def _numbered(start: Event, attempt: int) -> Event:
    """Returns the ``start`` of another try of a line as that of a later attempt: readers drop what came before."""
    return start if attempt_begun(start) == attempt else {**start, "attempt": attempt}
