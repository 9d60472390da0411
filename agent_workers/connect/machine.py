"""This machine, as its gateway knows it: what it offers, and the runs that it has."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from agent_workers.client import AsyncProcessRunner
from agent_workers.connect.messages import VERSION, Begin, Drain, Drop, End, Offer, Taken, Tell, Welcome, written
from agent_workers.connect.served import ServedRun

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agent_workers.connect.messages import FromGateway

logger = logging.getLogger("agent_workers.connect")


class Offered(NamedTuple):
    """What a machine lends.

    Attributes:
        workers: Command lines, by the names of the workers.
        max_runs: How many runs at once.
        models: Which models; None for whatever is asked for.
        skills: Which skills, likewise.
    """

    workers: Mapping[str, Sequence[str]]
    max_runs: int
    models: list[str] | None = None
    skills: list[str] | None = None


class Machine:
    """The runs of one process.

    Args:
        offered: What it lends.
        environ: The environment of its workers.

    Attributes:
        news: Set where there is something to send.
        grace_s: Seconds that its runs go on without a connection.
    """

    def __init__(self, offered: Offered, environ: Mapping[str, str]) -> None:
        self.news = asyncio.Event()
        self.grace_s = 30.0
        self._offered = offered
        self._environ = environ
        self._id = str(uuid4())
        self._runs: dict[str, ServedRun] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._taken: dict[str, int] = {}
        self._ends: list[End] = []
        self._is_draining = False
        self._has_told_drain = False

    @property
    def is_drained(self) -> bool:
        """Whether it takes no new runs, and has none."""
        return self._is_draining and not self._tasks and not self._runs

    def drain(self) -> None:
        """Takes no new runs."""
        self._is_draining = True
        self.news.set()

    def offer(self) -> str:
        """Returns the first message of a connection."""
        self._taken.clear()
        self._ends.clear()  # a gateway that lacks them asks for these runs no more, or loses them
        self._has_told_drain = False
        said = {
            "v": VERSION,
            "machine": self._id,
            "workers": list(self._offered.workers),
            "models": self._offered.models,
            "skills": self._offered.skills,
            "max_runs": self._offered.max_runs,
            "runs": {run.run: run.received for run in self._runs.values() if run.end is None},
        }
        return written(Offer.model_validate({name: value for name, value in said.items() if value is not None}))

    def welcome(self, message: Welcome) -> None:
        """Goes on with the runs that the gateway knows, and stops the others."""
        self.grace_s = message.grace_s
        for run in tuple(self._runs.values()):
            taken = message.runs.get(run.run)
            if taken is None:
                self._drop(run.run)
            else:
                run.resume(taken)
        self.news.set()

    def take(self, message: FromGateway) -> None:
        """Does what the gateway says."""
        if isinstance(message, Begin | Tell):
            self._told(message)
        elif isinstance(message, Taken) and (run := self._runs.get(message.run)):
            run.taken(message.n)
            self._settle(run)
        elif isinstance(message, Drop):
            self._drop(message.run)

    def outgoing(self) -> Iterator[str]:
        """Yields what is to be sent, a line of each run at a time."""
        self.news.clear()
        if self._is_draining and not self._has_told_drain:
            self._has_told_drain = True
            yield written(Drain())
        while self._ends:
            yield written(self._ends.pop())
        while self._taken:
            name, number = self._taken.popitem()
            yield written(Taken(run=name, n=number))
        lines = True
        while lines:
            lines = False
            for run in tuple(self._runs.values()):
                if line := run.next():
                    lines = True
                    yield written(line)

    def stop(self) -> None:
        """Stops the runs, whose ends are still told."""
        for run in self._runs.values():
            run.stop()

    def abandon(self) -> None:
        """Stops the runs, of which nobody wants to hear."""
        for name in tuple(self._runs):
            self._drop(name)

    async def close(self) -> None:
        """Waits until no worker is left."""
        self.abandon()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _told(self, message: Begin | Tell) -> None:
        run = self._runs.get(message.run)
        if isinstance(message, Begin) and run is None:
            run = self._begin(message)
        if run is None:
            return
        if message.n == run.received + 1:
            run.received = message.n
            if isinstance(message, Tell):
                run.tell(message.message)
        self._taken[message.run] = run.received
        self.news.set()

    def _begin(self, message: Begin) -> ServedRun | None:
        command = self._offered.workers.get(message.worker)
        at_work = sum(not run.is_told for run in self._runs.values())
        if command is None or self._is_draining or at_work >= self._offered.max_runs:
            reason = "not_offered" if command is None else "full"
            self._ends.append(End.model_validate({"run": message.run, "reason": reason}))
            self.news.set()
            return None
        logger.info("run %s begins (%s)", message.run, message.worker)
        runner = AsyncProcessRunner(*command, env=self._environ)
        run = ServedRun(message.run, runner, {**message.request, "run": message.run}, self.news.set)
        self._runs[message.run] = run
        task = asyncio.create_task(self._play(run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self.news.set())
        return run

    async def _play(self, run: ServedRun) -> None:
        try:
            await run.play()
        except Exception:
            logger.exception("run %s has broken off", run.run)
        if run.end:
            self._ends.append(run.end)
        logger.info("run %s has ended", run.run)
        self._settle(run)

    def _settle(self, run: ServedRun) -> None:
        if run.is_settled and self._runs.get(run.run) is run:
            del self._runs[run.run]
            self.news.set()

    def _drop(self, name: str) -> None:
        if run := self._runs.pop(name, None):
            if not run.is_over:
                logger.info("run %s is stopped: the gateway does not want it any more", name)
            run.drop()
            self.news.set()
