"""One attempt of a run: a worker's process, its events into the run's stream, and to it what the run is told."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import anyio

from agent_workers.errors import WorkerError, first_of
from agent_workers.fleet.lines import error
from agent_workers.fleet.serving.closing import Closing
from agent_workers.fleet.serving.control import relay
from agent_workers.fleet.serving.credentials import NoCredential, credential
from agent_workers.fleet.serving.ending import Billing
from agent_workers.fleet.serving.sink import LeaseLost

if TYPE_CHECKING:
    from agent_workers.client.aio import AsyncRun
    from agent_workers.client.event import Event
    from agent_workers.fleet.scripts import Begun, Held
    from agent_workers.fleet.serving.closing import Kept
    from agent_workers.fleet.serving.machine import Machine
    from agent_workers.fleet.serving.sink import RunSink
    from agent_workers.fleet.sessions.carried import Carried
    from agent_workers.protocol.v1.job import Job

logger = logging.getLogger("agent_workers.fleet")

_LIMITED = "rate_limited"
_USUAL_PAUSE_MS = 10_000
_TERMINAL = ("done", "error", "aborted")


class Attempt:
    """Runs a job once.

    Args:
        machine: What all slots of this process share.
        job: The job.
        held: The run, and who has it in hand.
        begun: The attempt, as it has begun.
        sink: Where its events go.
    """

    def __init__(self, machine: Machine, job: Job, held: Held, begun: Begun, sink: RunSink) -> None:
        self._machine = machine
        self._job = job
        self._held = held
        self._begun = begun
        self._sink = sink
        self._run: AsyncRun | None = None
        self._is_given_back = False
        self._billing = Billing()
        self._closing = Closing(job, held, begun, sink)
        self._record = machine.records.begin(job, held.run, begun.attempt)
        self._span = machine.tracing.begin(job, held, begun, machine.settings.host)

    def give_back(self) -> None:
        """Stops the worker; the run goes to another machine, if it may."""
        self._is_given_back = True
        self._stop()

    def lose(self) -> None:
        """Stops the worker: the run is another slot's."""
        self._sink.lose()
        self._stop()

    async def run(self) -> None:
        """Runs the job, to its end or to its next attempt.

        Raises:
            LeaseLost: The run is another slot's by now; its worker was stopped.
        """
        try:
            await self._carried(self._key())
        except LeaseLost:
            self._record.leave()
            self._span.lost()
            raise
        except NoCredential as problem:
            await self._refuse(error("auth", str(problem)))
        except WorkerError as problem:
            logger.warning("the run ends with %s: %s", problem.code, problem.cause, extra={"run": self._held.run})
            more = {"busy_ms": busy_ms} if (busy_ms := problem.busy_ms) is not None else {}
            await self._refuse(error(problem.code, problem.message, retryable=problem.retryable, **more))

    def _key(self) -> str | None:
        name = self._job.fields.credential
        return credential(self._machine.settings.credentials, name) if name else None

    async def _carried(self, key: str | None) -> None:
        """Runs the job with its conversation, wherever that was before."""
        carrier = self._machine.carrier(self._job.worker)
        held = self._held
        around = carrier.around(
            run=held.run, attempt=self._begun.attempt, request=self._job.request, consumer=held.consumer
        )
        async with around as carried:
            try:
                event, data = await self._speak(key, carried)
            except ExceptionGroup as several:
                raise first_of(several) from several
            await self._end(event, data, carried.end)

    async def _refuse(self, body: dict[str, Any]) -> None:
        await self._end(*self._closing.own(body), _nothing_kept)

    async def _speak(self, key: str | None, carried: Carried) -> tuple[Event, bytes]:
        """Has the worker speak; returns its terminal event, and the line of it."""
        request = dict(self._job.request)
        if self._begun.attempt > 1:
            request["attempt"] = self._begun.attempt
        if self._span.traceparent:
            request["traceparent"] = self._span.traceparent
        runner = self._machine.runner(self._job.worker)
        end: tuple[Event, bytes] | None = None
        async with anyio.create_task_group() as tasks, runner.stream(request, credential=key) as self._run:
            tasks.start_soon(self._write)
            async for event in self._run:
                if event["type"] in _TERMINAL:
                    end = event, self._run.line
                    break
                if event["type"] == "start":
                    tasks.start_soon(relay, self._machine, self._held.run, self._begun, self._run, self._record)
                await carried.saw(event)
                if not await self._take(event, self._run.line):
                    break
            tasks.cancel_scope.cancel()
        self._run = None
        if end is None:
            raise LeaseLost
        return end

    async def _take(self, event: Event, data: bytes) -> bool:
        self._billing.see(event)
        self._span.see(event)
        if event["type"] == "retry" and event["code"] == _LIMITED:
            await self._pause(event["delay_ms"])
        try:
            await self._sink.take(event, data)
        except LeaseLost:
            return False
        self._record.take(event, data)
        return True

    async def _write(self) -> None:
        try:
            await self._sink.write()
        except LeaseLost:
            self._stop()

    async def _end(self, event: Event, data: bytes, kept: Kept) -> None:
        self._billing.see(event)
        self._sink.figures.see(event)
        if event["type"] == "error" and event["code"] == _LIMITED:
            await self._pause(event.get("retry_after_ms") or _USUAL_PAUSE_MS)
        if self._is_given_back and event["type"] == "aborted":
            outcome = "error" if await self._closing.give_back(kept) else "returned"
            self._record.leave()
            if outcome == "error":
                self._machine.records.lose(self._held.run, "dead")
        else:
            is_end = await self._closing.end(event, data, is_billed=self._billing.has_begun, kept=kept)
            outcome = event["type"] if is_end else "again"
        self._record.end(event, data, is_final=outcome not in ("again", "returned"))
        self._span.end(event, outcome)
        self._machine.watch.ended(self._job, event, self._sink.figures, outcome)

    async def _pause(self, delay_ms: int) -> None:
        name = self._job.fields.credential or ""
        await self._machine.pause(name, delay_ms, self._held.run)

    def _stop(self) -> None:
        if self._run:
            self._run.stop()


async def _nothing_kept(is_final: bool) -> None:
    """Stands for a conversation that was not begun."""
