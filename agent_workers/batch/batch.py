"""A batch: reads its lines, has some run at a time, tries again what may succeed, and can be stopped in good order."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import anyio
import stamina

from agent_workers.batch.checkpoint import CheckpointUnusable, NoCheckpoint
from agent_workers.batch.item import BadLine, Item, read_item, whole
from agent_workers.batch.lanes import Lane, Lanes
from agent_workers.batch.pace import SLOWING
from agent_workers.batch.result import done, not_done, refused
from agent_workers.batch.totals import Totals
from agent_workers.client.choice import ChosenRunner
from agent_workers.client.errors import RunError, RunFailed
from agent_workers.errors import OutputClosed
from agent_workers.protocol.v1.body import TERMINAL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from contextlib import AbstractAsyncContextManager

    from anyio.abc import TaskGroup

    from agent_workers.batch.answers import Begin
    from agent_workers.batch.checkpoint import Progress
    from agent_workers.batch.economy import Economy
    from agent_workers.batch.item import Line
    from agent_workers.batch.result import Record
    from agent_workers.client.aio import AsyncRun, AsyncRunner
    from agent_workers.client.economy import ApiResult
    from agent_workers.client.event import Event
    from agent_workers.client.result import Result


@dataclass(frozen=True, slots=True)
class Limits:
    """What a batch may use up.

    Attributes:
        concurrency: Runs at once that have a process of their own each.
        here: Runs at once in the process of the batch; as many as those where it is None.
        attempts: How often one request is tried; what meets a rate limit while others are done does not count.
        max_cost_usd: No run begins once all together have cost so much; None for no limit.
        max_errors: Nor once so many lines have failed.
        deadline_s: Nor after so many seconds.
        grace_s: Seconds that running ones get to end when the batch is stopped, before they are aborted.
    """

    concurrency: int
    attempts: int = 4
    max_cost_usd: float | None = None
    max_errors: int | None = None
    deadline_s: float | None = None
    grace_s: float = 30
    here: int | None = None


class Sink(Protocol):
    """Where a batch tells what happens."""

    async def event(self, event: Event) -> None:
        """Takes each event of each run; of a run that is tried again no terminal one.

        Raises:
            OutputClosed: Nobody reads it any more.
        """
        ...

    async def record(self, record: Record) -> None:
        """Takes what a line has come to.

        Raises:
            OutputClosed: Nobody reads it any more.
        """
        ...

    def hurry(self) -> None:
        """Learns that the batch is to end at once: a reader that takes nothing is not waited for any longer."""
        ...


class _Work:
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


class Batch:
    """One start of a batch. Made in the event loop that runs it.

    Args:
        runners: What runs the requests of each worker, by its name.
        sink: Is told of what happens.
        limits: What the batch may use up.
        progress: What was done before, and keeps what is done now.
        usual: The worker of lines that name none.
        wants_events: Whether the sink does anything with events; else answers need not come in pieces.
        economy: Where lines go that may wait for the provider's batch API; None for nowhere.

    Attributes:
        totals: How far it has come.
        pace: How fast runs go that have a process of their own.
    """

    def __init__(
        self,
        runners: Mapping[str, AsyncRunner],
        sink: Sink,
        limits: Limits,
        progress: Progress | None = None,
        usual: str | None = None,
        *,
        wants_events: bool = True,
        economy: Economy | None = None,
    ) -> None:
        self.totals = Totals()
        self._economy = economy
        self._lanes = Lanes(limits.concurrency, limits.here or limits.concurrency)
        self.pace = self._lanes.apart.pace
        self._runners = runners
        self._sink = sink
        self._limits = limits
        self._progress: Progress = progress or NoCheckpoint()
        self._usual = usual
        self._wants_events = wants_events
        self._under_way: set[_Work] = set()
        self._named: set[str] = set()
        self._reading = anyio.CancelScope()
        self._has_read_all = False
        self._stopping = anyio.Event()
        self._fault: Exception | None = None

    async def run(self, lines: AsyncIterator[Line]) -> Totals:
        """Runs all lines, or those that there is time and money for.

        Raises:
            CheckpointUnusable: The checkpoint is of another batch, or cannot be written.
            OutputClosed: Nobody reads what the batch tells.
        """
        stamina.instrumentation.set_on_retry_hooks([])  # which write to stderr
        async with anyio.create_task_group() as watchers:
            watchers.start_soon(self._watch_deadline)
            watchers.start_soon(self._abort_after_grace)
            async with anyio.create_task_group() as tasks:
                with self._reading:
                    await self._read(lines, tasks)
                    self._has_read_all = True
            watchers.cancel_scope.cancel()
        self.note_out()
        if self._fault:
            raise self._fault
        return self.totals

    async def _read(self, lines: AsyncIterator[Line], tasks: TaskGroup) -> None:
        """Has each line begin that is not settled, once there is room for it."""

        async def begin(line: Line, answered: ApiResult | None = None) -> None:
            work = self._work(line, answered)
            await self._lanes.enter(work.lane, line)
            tasks.start_soon(self._take, work)

        async for line in lines:
            if not self._is_settled(line):
                self._keep_limits()  # an earlier start may have used them up
                if not await self._waits(line):
                    await begin(line)
        if self._economy:
            await self._settle_economy(self._economy, begin)

    async def _settle_economy(self, economy: Economy, begin: Begin) -> None:
        try:
            await economy.settle(begin)
        except CheckpointUnusable as fault:
            self._fail(fault)

    def _work(self, line: Line, answered: ApiResult | None) -> _Work:
        asked: Item | BadLine
        try:
            asked = read_item(line, self._runners, self._usual)
            if answered is None:  # else it was named when it was sent
                self._name(asked)
        except BadLine as bad:
            asked = bad
        is_here = answered is not None or isinstance(asked, BadLine) or self._runs_here(asked)
        return _Work(line, asked, self._lanes.here if is_here else self._lanes.apart, answered)

    def _runs_here(self, item: Item) -> bool:
        runner = self._runners[item.worker]
        return isinstance(runner, ChosenRunner) and runner.runs_here(item.request)

    def drain(self, why: str) -> None:
        """Begins no more runs. Those under way end by themselves."""
        if self.totals.stopped is None:
            self.totals.stopped = why
            self._reading.cancel()
            for work in self._under_way:
                if work.run is None:
                    work.waiting.cancel()

    def stop(self, why: str) -> None:
        """Begins no more runs, and aborts those that are still under way after the grace. The second call: at once."""
        if self._stopping.is_set():
            self._abort()
        self.drain(why)
        self._stopping.set()

    def _abort(self) -> None:
        self._sink.hurry()
        if self._economy:
            self._economy.hurry()
        for work in self._under_way:
            if work.run:
                work.run.stop()

    def _fail(self, fault: Exception) -> None:
        self._fault = self._fault or fault
        self.drain("fault")
        self._abort()

    async def _watch_deadline(self) -> None:
        if self._limits.deadline_s is not None:
            await anyio.sleep(self._limits.deadline_s)
            self.stop("deadline")

    async def _abort_after_grace(self) -> None:
        await self._stopping.wait()
        await anyio.sleep(self._limits.grace_s)
        self._abort()

    def _is_settled(self, line: Line) -> bool:
        try:
            return self._progress.has(line)
        except CheckpointUnusable as fault:
            self._fail(fault)
            return True

    def note_out(self) -> None:
        """Notes in ``totals`` what waits for the batch API."""
        if self._economy:
            self.totals.out, self.totals.out_since = self._economy.out, self._economy.since

    async def _waits(self, line: Line) -> bool:
        """Has a line wait for the batch API, where it may; says whether it does."""
        if self._economy is None:
            return False
        try:
            item = read_item(line, self._runners, self._usual)
            return await self._economy.takes(item, self._named, is_here=self._runs_here(item))
        except BadLine:
            return False
        except CheckpointUnusable as fault:
            self._fail(fault)
            return True

    async def _take(self, work: _Work) -> None:
        self._under_way.add(work)
        try:
            async with work.lane.places:
                await self._settle(work)
        except (CheckpointUnusable, OutputClosed) as fault:
            self._fail(fault)
        finally:
            self._under_way.discard(work)
            self._lanes.leave(work.lane, work.line)

    async def _settle(self, work: _Work) -> None:
        record = await self._record(work) if self.totals.stopped is None else None
        if record is None and self._economy and work.answered:
            self._economy.not_run(work.line)
        elif record:
            await self._progress.keep(work.line, record)
            self.totals.add(record)
            await self._sink.record(record)
            self._progress.told(work.line)
            if not self._has_read_all or self._under_way != {work}:  # else nothing is left that could begin
                self._keep_limits()

    def _keep_limits(self) -> None:
        most_usd, most_errors = self._limits.max_cost_usd, self._limits.max_errors
        if most_usd is not None and self.totals.cost_usd >= most_usd:
            self.drain("max_cost_usd")
        if most_errors is not None and self.totals.failed >= most_errors:
            self.drain("max_errors")

    async def _record(self, work: _Work) -> Record | None:
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
            return done(item, ended, work.ends)
        if work.failed:  # also where a next attempt will not be
            await self._sink.event(work.failed.event)
            return not_done(item, work.failed.event, work.ends)
        return None

    def _name(self, item: Item) -> None:
        """Takes note of the id that a request has brought: by it its events are told from others."""
        if item.run == item.line.run:
            return
        if item.run in self._named:
            problem = {"pointer": "/run", "message": "is the run of an earlier line; each needs its own"}
            raise BadLine(f"Line {item.line.number} has the run of an earlier one.", [problem], item.key)
        self._named.add(item.run)

    async def _result(self, item: Item, work: _Work) -> Result:
        pace = work.lane.pace

        def again(error: Exception) -> bool | float:
            if not isinstance(error, RunFailed) or not error.retryable:
                return False
            pause_s = pace.note_failure(error, work.attempts)
            # A rate limit is not this run's alone: while others get through, it will, too.
            work.counted += error.code not in SLOWING or work.done_before in (None, self.totals.done)
            work.done_before = self.totals.done
            return pause_s if self.totals.stopped is None and work.counted < self._limits.attempts else False

        async for attempt in stamina.retry_context(on=again, attempts=None, timeout=None):
            with attempt:
                async with pace, self._place(item, work):
                    result = await self._attempt(item, work)
                pace.note_done()
                return result
        raise AssertionError("an attempt returns or raises")

    def _place(self, item: Item, work: _Work) -> AbstractAsyncContextManager[None]:
        """Waits for the API's limits, where that is known before a run."""
        runner = self._runners[item.worker]
        if work.lane is self._lanes.here and isinstance(runner, ChosenRunner) and self._economy is None:
            return runner.here.place(item.request)
        return nullcontext()  # a run of the economy lane waits itself, where it is not answered before

    def _begun(self, item: Item, work: _Work) -> AsyncRun:
        if work.lane is self._lanes.here and not self._wants_events:
            item = whole(item)
        if self._economy and work.lane is self._lanes.here:
            return self._economy.run(item, work.answered if work.attempts == 1 else None)
        runner = self._runners[item.worker]
        if isinstance(runner, ChosenRunner):
            runner = runner.here if work.lane is self._lanes.here else runner.apart
        return runner.stream(item.request)

    async def _attempt(self, item: Item, work: _Work) -> Result:
        work.attempts += 1
        self.totals.running += 1
        try:
            async with self._begun(item, work) as run:
                work.run = run
                async for event in run:
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
            self.totals.running -= 1
