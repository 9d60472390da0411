"""Runs on this machine, each in a worker process of its own; agents of a pool serve them where there is one."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import anyio

from agent_workers.admission import accept
from agent_workers.client import AsyncProcessRunner
from agent_workers.gateway.feed import Feed
from agent_workers.gateway.local_run import LocalRun
from agent_workers.gateway.machine_run import MachineRun
from agent_workers.gateway.machines import Machines
from agent_workers.gateway.questions import over
from agent_workers.gateway.refusal import Refusal, busy, misfit, no_run, run_over
from agent_workers.gateway.runs import Runs
from agent_workers.gateway.shelf import Shelf
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent_workers.gateway.composing import Composed
    from agent_workers.gateway.conversations import Conversations
    from agent_workers.gateway.machine import ConnectedMachine
    from agent_workers.gateway.owner import Owner
    from agent_workers.gateway.questions import Questions
    from agent_workers.gateway.settings import GatewaySettings
    from agent_workers.gateway.witness import Witnesses

logger = logging.getLogger("agent_workers.gateway")

_LEAVING_S = 6
"""A worker that was stopped takes five seconds at most."""


class LocalRuns(Runs):
    """The runs of one gateway alone.

    Args:
        settings: The gateway's.
        conversations: What is known of the conversations.
        witnesses: Hear of the runs, besides their readers.
    """

    def __init__(self, settings: GatewaySettings, conversations: Conversations, witnesses: Witnesses) -> None:
        self._witnesses = witnesses
        self._settings = settings
        self._environ = {name: os.environ[name] for name in os.environ.keys() - settings.secret_variables}
        self._limits = settings.limits
        self._conversations = conversations
        self.machines = self._machines = Machines(settings.limits)
        self._runs: dict[str, LocalRun | MachineRun] = {}
        self._shelf = Shelf(settings.limits, settings.limits.keep_s, self._forget)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._by_owner: Counter[Owner] = Counter()

    @property
    def running(self) -> int:
        """How many runs go on here."""
        return len(self._tasks)

    @property
    def kept_bytes(self) -> int:
        """Bytes of all events that are kept."""
        return self._shelf.size

    async def start(self, composed: Composed, owner: Owner) -> Feed:
        """Has a run begin; see ``Runs.start``."""
        if len(self._tasks) >= self._limits.max_runs:
            raise busy()
        if self._by_owner[owner] >= self._limits.runs_per_user:
            words = "Too many of your runs are at work. Wait for one, or stop it."
            raise Refusal(429, "too_many_runs", words, retry_after_ms=5000)
        _check(composed)
        machine = self._machines.choose(owner, composed) if composed.preset.on == "user" else None
        request = dict(composed.request)
        if composed.conversation:
            await self._settled(composed.conversation, owner)
            request |= self._conversations.begin(composed.conversation, owner, composed.run)
        self._witnesses.begin(composed, owner.tenant)
        feed = Feed(composed.run, owner, self._limits.run_bytes)
        run = self._made(feed, composed, request, machine)
        self._runs[feed.run] = run
        self._shelf.put(feed)
        self._by_owner[owner] += 1
        self._tasks[feed.run] = asyncio.create_task(self._play(run, composed.conversation))
        return feed

    async def feed(self, run: str, owner: Owner) -> Feed | None:
        """Returns a run to read; see ``Runs.feed``."""
        feed = self._shelf.feeds.get(run)
        return feed if feed and feed.owner == owner else None

    async def status(self, run: str, owner: Owner) -> dict[str, Any] | None:
        """Returns how far a run is; see ``Runs.status``."""
        found = self._runs.get(run)
        return found.status() if found and found.feed.owner == owner else None

    async def questions(self, run: str, owner: Owner) -> Questions:
        """Returns what a run has asked; see ``Runs.questions``."""
        feed = self._own(run, owner).feed
        if feed.last is not None:
            raise over()
        return feed.questions

    async def claim(self, run: str, name: str, until: float) -> bool:
        """Says whether an answer is the first one; the questions of the run know themselves which have theirs."""
        return True

    async def give_back(self, run: str, name: str) -> None:
        """Lets an answer be given again; see ``claim``."""

    async def tell(self, run: str, owner: Owner, message: Mapping[str, Any]) -> None:
        """Tells a run something; see ``Runs.tell``."""
        found = self._own(run, owner)
        if found.feed.last is not None or not found.tell(message):
            raise run_over()
        self._witnesses.told(run, message)

    async def problem(self) -> str:
        """Says why no run can begin."""
        return "all runs are taken" if len(self._tasks) >= self._limits.max_runs else ""

    async def leave(self, grace_s: float) -> None:
        """Waits for the runs, then stops those that go on."""
        if not self._tasks:
            return
        with anyio.move_on_after(grace_s):
            await asyncio.wait(list(self._tasks.values()))
        self.hurry()
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    def hurry(self) -> None:
        """Stops the runs."""
        for run in list(self._tasks):
            self._runs[run].stop()

    def tick(self) -> None:
        """Looks after what is kept."""
        self._shelf.tick()

    def left(self, feed: Feed) -> None:
        """Hears that a reader has gone; stops the run where that is wanted, and it was the last one."""
        if self._settings.on_disconnect == "abort" and not feed.readers and feed.last is None:
            self._runs[feed.run].tell({"type": "abort"})

    async def _settled(self, conversation: str, owner: Owner) -> None:
        """Waits for a run in the conversation that has told its end, or was asked for it, and is still leaving."""
        run = self._conversations.at_work(conversation, owner)
        task, found = self._tasks.get(run or ""), self._runs.get(run or "")
        if task and found and found.is_ending:
            await asyncio.wait([task], timeout=_LEAVING_S)

    def _made(
        self, feed: Feed, composed: Composed, request: Mapping[str, Any], machine: ConnectedMachine | None
    ) -> LocalRun | MachineRun:
        worker, heard = composed.preset.worker, self._listener(composed, feed.owner)
        if machine:
            return MachineRun(feed, machine, worker, request, heard)
        return LocalRun(feed, self._runner(worker), request, heard)

    async def _play(self, run: LocalRun | MachineRun, conversation: str | None) -> None:
        feed = run.feed
        try:
            await run.play()
        except Exception:
            logger.exception("run %s has broken off", feed.run)
        finally:
            self._by_owner[feed.owner] -= 1
            if not self._by_owner[feed.owner]:
                del self._by_owner[feed.owner]
            self._tasks.pop(feed.run, None)
            if conversation:
                self._conversations.end(conversation, feed.owner, feed.run)
            if feed.last is None:
                feed.lose()
                self._witnesses.lose(feed.run)

    def _forget(self, run: str) -> None:
        self._runs.pop(run, None)

    def _listener(self, composed: Composed, owner: Owner) -> Callable[[bytes, Mapping[str, Any]], None]:
        def hear(line: bytes, event: Mapping[str, Any]) -> None:
            if composed.conversation:
                self._conversations.note(composed.conversation, owner, composed.run, event)
            self._witnesses.hear(composed.run, line, event)

        return hear

    def _own(self, run: str, owner: Owner) -> LocalRun | MachineRun:
        found = self._runs.get(run)
        if found is None or found.feed.owner != owner:
            raise no_run()
        return found

    def _runner(self, worker: str) -> AsyncProcessRunner:
        command = self._settings.workers.get(worker, [worker])
        return AsyncProcessRunner(*command, env=self._environ)


def _check(composed: Composed) -> None:
    """Refuses at once what the worker would; a skill's request its worker looks at alone.

    Raises:
        Refusal: No worker would accept it.
    """
    if composed.preset.is_skill:
        return
    try:
        accept(WORKERS[composed.preset.worker], composed.request)
    except RequestProblems as found:
        raise misfit(found.problems) from None
