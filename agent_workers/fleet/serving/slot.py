"""A slot: takes one job after the other from its queue, and has each run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import anyio

from agent_workers.fleet.lines import EXPIRED, error, line
from agent_workers.fleet.scripts import Ended, Held
from agent_workers.fleet.serving.attempt import Attempt
from agent_workers.fleet.serving.log import about
from agent_workers.fleet.serving.sink import LeaseLost, RunSink
from agent_workers.protocol.document import parse_json
from agent_workers.protocol.v1.job import parse_job
from agent_workers.protocol.v1.problem import RequestProblems

if TYPE_CHECKING:
    from agent_workers.fleet.scripts import Begun
    from agent_workers.fleet.serving.machine import Machine
    from agent_workers.protocol.v1.job import Job

logger = logging.getLogger("agent_workers.fleet")


class Slot:
    """Runs one job at a time.

    Args:
        machine: What all slots of this process share.
        queue: The queue that it takes from.
        number: Counts the slots of the queue, from 1.

    Attributes:
        consumer: What it is called in the queue's consumer group.
        attempt: What it runs; None while it is idle.
    """

    def __init__(self, machine: Machine, queue: str, number: int) -> None:
        self._machine = machine
        self.queue = queue
        self.consumer = f"{machine.settings.host}/{number}"
        self.attempt: Attempt | None = None
        self._held: Held | None = None
        self._is_idle = anyio.Event()
        self._is_idle.set()

    @property
    def held(self) -> Held | None:
        """The run that it has in hand."""
        return self._held

    async def idle(self) -> None:
        """Waits until it has no run in hand."""
        await self._is_idle.wait()

    async def serve(self, entry: str, run: str) -> None:
        """Runs the job of an entry of the queue, to its end or to its next attempt."""
        if self._machine.is_draining:
            return  # it is given back when this process leaves the queue
        held = Held(run, entry, self.consumer)
        about.set({"run": run, "queue": self.queue})
        self._is_idle = anyio.Event()
        try:
            begun = await self._machine.scripts.begin(self.queue, held, self._machine.settings.host)
            if begun:
                self._held = held
                self._machine.watch.began(self.queue)
                await self._run(held, begun)
        except LeaseLost:
            self._machine.watch.lost(self.queue)
            logger.warning("the run is another's by now; it was stopped here", extra={"run": run})
        finally:
            if self._held:
                self._machine.watch.left(self.queue)
            self._held = None
            self.attempt = None
            about.set({})
            self._is_idle.set()

    async def _run(self, held: Held, begun: Begun) -> None:
        sink = RunSink(self._machine.scripts, held, begun.attempt)
        job = self._read(begun.job, held.run)
        if isinstance(job, dict):
            await self._refuse(sink, held, job)
        elif begun.attempt == 1 and begun.expires_ms is not None and begun.expires_ms < begun.now_ms:
            await self._refuse(sink, held, EXPIRED)
        else:
            about.set({**about.get(), "tenant": job.fields.tenant, "attempt": begun.attempt})
            self.attempt = Attempt(self._machine, job, held, begun, sink)
            await self.attempt.run()

    def _read(self, text: bytes, run: str) -> Job | dict[str, Any]:
        """Returns the job, or the body of the error that it ends with; its run is the one that was submitted."""
        try:
            document = parse_json(text)
            named = document | {"run": run} if isinstance(document, dict) else document
            return parse_job(named, self._machine.workers)
        except RequestProblems as found:
            details = [problem.model_dump(mode="json") for problem in found.problems]
            return error(found.code, str(found), details=details)

    @staticmethod
    async def _refuse(sink: RunSink, held: Held, body: dict[str, Any]) -> None:
        sink.figures.see(body)
        await sink.end(1, line(held.run, body, 1, prev=sink.head), Ended("error", body["code"]))
