"""A batch: reads its lines, has some run at a time, tries again what may succeed, and can be stopped in good order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from agent_workers.batch.checkpoint import CheckpointUnusable, NoCheckpoint
from agent_workers.batch.item import BadLine, read_item
from agent_workers.batch.lanes import Lanes
from agent_workers.batch.runs import Runs, Work
from agent_workers.batch.totals import Totals
from agent_workers.errors import OutputClosed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from anyio.abc import TaskGroup

    from agent_workers.batch.answers import Begin
    from agent_workers.batch.checkpoint import Progress
    from agent_workers.batch.economy import Economy
    from agent_workers.batch.item import Item, Line
    from agent_workers.batch.limits import Limits
    from agent_workers.batch.sink import Sink
    from agent_workers.client.aio import AsyncRunner
    from agent_workers.client.economy import ApiResult


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
        self._runs = Runs(
            runners,
            sink,
            self.totals,
            self._lanes,
            attempts=limits.attempts,
            wants_events=wants_events,
            economy=economy,
        )
        self._under_way: set[Work] = set()
        self._named: set[str] = set()
        self._reading = anyio.CancelScope()
        self._has_read_all = False
        self._is_withheld = False  # some lines did not begin, for the money is spent
        self._stopping = anyio.Event()
        self._fault: Exception | None = None

    async def run(self, lines: AsyncIterator[Line]) -> Totals:
        """Runs all lines, or those that there is time and money for.

        Raises:
            CheckpointUnusable: The checkpoint is of another batch, or cannot be written.
            OutputClosed: Nobody reads what the batch tells.
        """
        async with anyio.create_task_group() as watchers:
            watchers.start_soon(self._watch_deadline)
            watchers.start_soon(self._abort_after_grace)
            async with anyio.create_task_group() as tasks:
                with self._reading:
                    await self._read(lines, tasks)
                    self._has_read_all = True
            watchers.cancel_scope.cancel()
        self.note_out()
        if self._is_withheld and self.totals.stopped is None:
            self.totals.stopped = "max_cost_usd"
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
                if self._is_paid(line) and not await self._waits(line):
                    await begin(line)
        if self._economy:
            await self._settle_economy(self._economy, begin)

    async def _settle_economy(self, economy: Economy, begin: Begin) -> None:
        if self._is_spent and economy.unpack():
            self._is_withheld = True
        try:
            await economy.settle(begin)
        except CheckpointUnusable as fault:
            self._fail(fault)

    def _work(self, line: Line, answered: ApiResult | None) -> Work:
        asked: Item | BadLine
        try:
            asked = read_item(line, self._runners, self._usual)
            if answered is None:  # else it was named when it was sent
                self._name(asked)
        except BadLine as bad:
            asked = bad
        is_here = answered is not None or isinstance(asked, BadLine) or not self._runs.apart(asked)
        return Work(line, asked, self._lanes.here if is_here else self._lanes.apart, answered)

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
        """Notes in ``totals`` what waits for the batch API, and what was told of it."""
        if self._economy:
            self.totals.notes = self._economy.notes
            self.totals.out, self.totals.out_since = self._economy.out, self._economy.since

    async def _waits(self, line: Line) -> bool:
        """Has a line wait for the batch API, where it may; says whether it does."""
        if self._economy is None:
            return False
        try:
            item = read_item(line, self._runners, self._usual)
            return await self._economy.takes(item, self._named, apart=self._runs.apart(item))
        except BadLine:
            return False
        except CheckpointUnusable as fault:
            self._fail(fault)
            return True

    async def _take(self, work: Work) -> None:
        self._under_way.add(work)
        try:
            async with work.lane.places:
                await self._settle(work)
        except (CheckpointUnusable, OutputClosed) as fault:
            self._fail(fault)
        finally:
            self._under_way.discard(work)
            self._lanes.leave(work.lane, work.line)

    async def _settle(self, work: Work) -> None:
        may_run = self.totals.stopped is None and self._may_cost(work.answered)
        record = await self._runs.record(work) if may_run else None
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
        most_errors = self._limits.max_errors
        if self._is_spent and self._economy is None:
            self.drain("max_cost_usd")
        if most_errors is not None and self.totals.failed >= most_errors:
            self.drain("max_errors")

    @property
    def _is_spent(self) -> bool:
        most_usd = self._limits.max_cost_usd
        return most_usd is not None and self.totals.cost_usd >= most_usd

    def _may_cost(self, answered: ApiResult | None) -> bool:
        """Whether a run may begin: where the money is spent, that of an answer of the batch API, which is paid for."""
        has_answer = answered is not None and answered.message is not None
        if self._economy is None or has_answer or not self._is_spent:
            return True
        self._is_withheld = True
        return False

    def _is_paid(self, line: Line) -> bool:
        """Whether a line may cost something, or is at the batch API and does already."""
        return (self._economy is not None and self._economy.has(line)) or self._may_cost(None)

    def _name(self, item: Item) -> None:
        """Takes note of the id that a request has brought: by it its events are told from others."""
        if item.run == item.line.run:
            return
        if item.run in self._named:
            problem = {"pointer": "/run", "message": "is the run of an earlier line; each needs its own"}
            raise BadLine(f"Line {item.line.number} has the run of an earlier one.", [problem], item.key)
        self._named.add(item.run)
