"""One attempt of a run: a worker's process, its events into the run's stream, and to it what the run is told."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import anyio

from agent_workers.fleet.lines import WORKER_LOST, error, line
from agent_workers.fleet.scripts import Ended, Line
from agent_workers.fleet.work.control import relay
from agent_workers.fleet.work.credentials import NoCredential, credential
from agent_workers.fleet.work.ending import Again, Billing, ending
from agent_workers.fleet.work.sink import LeaseLost

if TYPE_CHECKING:
    from agent_workers.client.aio import AsyncRun
    from agent_workers.client.event import Event
    from agent_workers.fleet.scripts import Begun, Held
    from agent_workers.fleet.work.machine import Machine
    from agent_workers.fleet.work.sink import RunSink
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
        self._seq = 0

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
        name = self._job.fields.credential
        try:
            key = credential(self._machine.settings.credentials, name) if name else None
        except NoCredential as problem:
            await self._end(self._own(error("auth", str(problem))))
            return
        end = await self._speak(key)
        await self._end(end)

    async def _speak(self, key: str | None) -> tuple[Event, bytes]:
        """Has the worker speak; returns its terminal event, and the line of it."""
        request = dict(self._job.request)
        if self._begun.attempt > 1:
            request["attempt"] = self._begun.attempt
        runner = self._machine.runner(self._job.worker)
        end: tuple[Event, bytes] | None = None
        async with anyio.create_task_group() as tasks, runner.stream(request, credential=key) as self._run:
            tasks.start_soon(self._write)
            async for event in self._run:
                if event["type"] in _TERMINAL:
                    end = event, self._run.line
                    break
                if event["type"] == "start":
                    tasks.start_soon(relay, self._machine, self._held.run, self._begun, self._run)
                if not await self._take(event, self._run.line):
                    break
            tasks.cancel_scope.cancel()
        self._run = None
        if end is None:
            raise LeaseLost
        return end

    async def _take(self, event: Event, data: bytes) -> bool:
        self._seq = event["seq"]
        self._billing.see(event)
        if event["type"] == "retry" and event["code"] == _LIMITED:
            await self._pause(event["delay_ms"])
        try:
            await self._sink.take(event, data)
        except LeaseLost:
            return False
        return True

    async def _write(self) -> None:
        try:
            await self._sink.write()
        except LeaseLost:
            self._stop()

    async def _end(self, end: tuple[Event, bytes]) -> None:
        event, data = end
        self._billing.see(event)
        self._sink.figures.see(event)
        if event["type"] == "error" and event["code"] == _LIMITED:
            await self._pause(event.get("retry_after_ms") or _USUAL_PAUSE_MS)
        if self._is_given_back and event["type"] == "aborted":
            await self._return()
            return
        what = ending(self._job, event, is_billed=self._billing.has_begun, failures=self._begun.failures)
        if isinstance(what, Again):
            last = Line(event["seq"], line(self._held.run, self._retry(event, what), event["seq"]))
            await self._sink.again(what.delay_ms, is_failure=True, last=last)
        else:
            await self._sink.end(event["seq"], data, what)
        self._machine.meters.ended(self._job, event, self._sink.figures, is_end=isinstance(what, Ended))

    async def _return(self) -> None:
        """Gives the run back, where this process is stopped: no failure, but a second beginning all the same."""
        if self._job.fields.attempts > 1:
            await self._sink.again(0, is_failure=False, last=None)
        else:
            event, data = self._own(WORKER_LOST)
            await self._sink.end(event["seq"], data, Ended("error", event["code"], is_dead=True))

    def _own(self, body: dict[str, Any]) -> tuple[Event, bytes]:
        """Returns a terminal event that no worker has written, and its line."""
        echoed = {name: self._job.request[name] for name in _ECHOED if self._job.request.get(name) is not None}
        seq = self._seq + 1
        return {**body, "seq": seq}, line(self._held.run, body | echoed, seq)

    def _retry(self, event: Event, again: Again) -> dict[str, Any]:
        body = {
            "type": "retry",
            "attempt": self._begun.attempt + 1,
            "max_attempts": self._job.fields.attempts,
            "delay_ms": again.delay_ms,
            "code": again.code,
        }
        return body | ({"http_status": event["http_status"]} if event.get("http_status") else {})

    async def _pause(self, delay_ms: int) -> None:
        name = self._job.fields.credential or ""
        await self._machine.pause(name, delay_ms, self._held.run)

    def _stop(self) -> None:
        if self._run:
            self._run.stop()


_ECHOED = ("metadata", "subject", "user", "goal")
