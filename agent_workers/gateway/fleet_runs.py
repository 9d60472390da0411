"""Runs of the fleet: jobs in Redis, which go on when this gateway has gone, and which each of its gateways can read."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from agent_workers.admission import accept
from agent_workers.fleet.connection import Trouble
from agent_workers.fleet.events import Entry
from agent_workers.fleet.fleet import NoSuchRun, RunOver, RunTaken
from agent_workers.gateway.feed import Feed
from agent_workers.gateway.fleet_conversations import FleetConversations
from agent_workers.gateway.owner import Owner
from agent_workers.gateway.questions import Questions, over
from agent_workers.gateway.refusal import Refusal, misfit, no_run, run_over, said_of
from agent_workers.gateway.relay import Relay
from agent_workers.gateway.runs import Runs
from agent_workers.gateway.shelf import Shelf
from agent_workers.protocol.v1.job import parse_job
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.wire import timestamp
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from agent_workers.fleet.fleet import Fleet
    from agent_workers.fleet.status import RunStatus
    from agent_workers.gateway.composing import Composed
    from agent_workers.gateway.settings import GatewaySettings
    from agent_workers.gateway.witness import Witnesses
    from agent_workers.protocol.v1.job import Job

logger = logging.getLogger("agent_workers.gateway")

_KEEP_S = 10
"""How long a run is kept here that nobody reads: Redis has it."""
_SILENT_S = 15
"""After which a run is looked at that says nothing: it may be gone."""
_MOST_BYTES = 64 << 20
_PAGE = 1000
_QUESTIONS = 16
"""How much Redis is asked at once, each on a connection: thousands of readers may come in one moment."""
_TIMES = {
    "submitted_at": "submitted",
    "run_at": "run_at",
    "expires_at": "expires_at",
    "begun_at": "begun",
    "ended_at": "ended",
}


class FleetRuns(Runs):
    """The runs of one fleet.

    Args:
        settings: The gateway's.
        fleet: The fleet.
        witnesses: Hear of the runs that are started here, besides their readers.
    """

    def __init__(self, settings: GatewaySettings, fleet: Fleet, witnesses: Witnesses) -> None:
        self._fleet = fleet
        self._witnesses = witnesses
        self._relay = Relay(fleet)
        self._conversations = FleetConversations(fleet)
        self._shelf = Shelf(settings.limits, _KEEP_S, self._relay.leave)
        self._opening: dict[str, asyncio.Lock] = {}
        self._looked: dict[str, float] = {}
        self._settings = settings
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(_QUESTIONS)

    @property
    def running(self) -> int:
        """How many runs are followed from here."""
        return sum(feed.ended is None for feed in self._shelf.feeds.values())

    @property
    def kept_bytes(self) -> int:
        """Bytes of the events that are here."""
        return self._shelf.size

    async def start(self, composed: Composed, owner: Owner) -> Feed:
        """Has a run begin; see ``Runs.start``."""
        job = _job(composed, owner)
        async with self._room:
            return await self._submit(composed, owner, job)

    async def _submit(self, composed: Composed, owner: Owner, job: Job) -> Feed:
        if composed.conversation:
            session = await self._conversations.begin(composed.conversation, owner, job.run)
            job.request.update(session)
        self._witnesses.begin(composed, owner.tenant)
        try:
            await self._fleet.submit(job)
        except RunTaken:
            self._witnesses.forget(job.run)
            raise Refusal(409, "run_taken", "There is a run of this id. Try again.", retry_after_ms=0) from None
        return await self._open(job.run, owner, composed.conversation)

    async def feed(self, run: str, owner: Owner) -> Feed | None:
        """Returns a run to read; see ``Runs.feed``."""
        feed = self._shelf.feeds.get(run)
        if feed is None:
            async with self._room:
                status = await self._fleet.status(run)
                if status is None or not _is_of(status, owner):
                    return None
                feed = await self._open(run, owner)
        return feed if feed.owner == owner else None

    async def status(self, run: str, owner: Owner) -> dict[str, Any] | None:
        """Returns how far a run is; see ``Runs.status``."""
        async with self._room:
            return await self._status(run, owner)

    async def _status(self, run: str, owner: Owner) -> dict[str, Any] | None:
        status = await self._fleet.status(run)
        if status is None or not _is_of(status, owner):
            return None
        found: dict[str, Any] = {"run": run, "state": status.state}
        if status.attempt:
            found["attempt"] = status.attempt
        found |= {name: _written(status.fields[own]) for name, own in _TIMES.items() if status.fields.get(own)}
        if status.state == "running" and "asking" in status.fields:
            found["asking"] = status.fields["asking"]
        if status.is_over and (last := await self._fleet.last_event(run)) and last.is_terminal:
            found["event"] = last.event
            if last.event["type"] != "done":
                found["message"] = said_of(last.event)
        return found

    async def questions(self, run: str, owner: Owner) -> Questions:
        """Returns what a run has asked; see ``Runs.questions``."""
        async with self._room:
            status = await self._own(run, owner)
            if status.is_over:
                raise over()
            questions = Questions()
            async for entry in self._entries(run):
                questions.note(entry.event)
            return questions

    async def claim(self, run: str, name: str, until: float) -> bool:
        """Says whether an answer is the first one, among those of the PHP bridge, too; see ``Runs.claim``."""
        kept_ms = max(1, math.ceil(until - time.time()) + 60) * 1000
        async with self._room:
            return bool(await self._fleet.redis.set(await self._claim(run, name), "gateway", nx=True, px=kept_ms))

    async def give_back(self, run: str, name: str) -> None:
        """Lets an answer be given again; see ``Runs.give_back``."""
        with suppress(Trouble):
            async with self._room:
                await self._fleet.redis.delete(await self._claim(run, name))

    async def tell(self, run: str, owner: Owner, message: Mapping[str, Any]) -> None:
        """Tells a run something; see ``Runs.tell``."""
        async with self._room:
            await self._own(run, owner)
            try:
                await self._fleet.send(run, message)
            except NoSuchRun:
                raise no_run() from None
            except RunOver:
                raise run_over() from None
        self._witnesses.told(run, message)

    def left(self, feed: Feed) -> None:
        """Hears that a reader has gone; stops the run where that is wanted, and it was the last one here."""
        if self._settings.on_disconnect == "abort" and not feed.readers and feed.last is None:
            self._do(self._abort(feed.run))

    def is_away(self, error: Exception) -> bool:
        """Whether Redis is away."""
        return isinstance(error, Trouble)

    async def problem(self) -> str:
        """Says why no run can begin."""
        try:
            await self._fleet.redis.ping()
        except Trouble:
            return "Redis is away"
        return ""

    async def leave(self, grace_s: float) -> None:
        """Sends the readers away, to come back: the runs go on."""
        for feed in self._shelf.feeds.values():
            for reader in tuple(feed.readers):
                reader.leave()
        await self._relay.close()

    def hurry(self) -> None:
        """Does nothing: the runs are the fleet's."""

    def tick(self) -> None:
        """Looks after what is kept, and after runs that have gone without a word."""
        self._shelf.tick()
        now = time.monotonic()
        for feed in tuple(self._shelf.feeds.values()):
            if feed.readers:
                self._looked.setdefault(feed.run, now)
            if feed.ended is None and now - max(self._looked.get(feed.run, now), feed.heard) >= _SILENT_S:
                self._looked[feed.run] = now
                self._do(self._look_at(feed))
        self._looked = {run: at for run, at in self._looked.items() if run in self._shelf.feeds}

    def resume(self, runs: Iterable[str]) -> None:
        """Goes on with runs of an earlier process, whose end is to be told."""
        self._do(self._resume(runs))

    async def _resume(self, runs: Iterable[str]) -> None:
        for run in runs:
            status = await self._fleet.status(run)
            if status is not None:
                await self._open(run, Owner(status.fields.get("user", ""), status.fields.get("tenant")))
            else:
                self._witnesses.lose(run)

    async def _open(self, run: str, owner: Owner, conversation: str | None = None) -> Feed:
        """Returns a run's feed, with all that Redis has of it, and what comes."""
        async with self._opening.setdefault(run, asyncio.Lock()):
            if feed := self._shelf.feeds.get(run):
                return feed
            feed = Feed(run, owner, max(self._settings.limits.run_bytes, _MOST_BYTES))
            after = "0-0"
            async for entry in self._entries(run):
                self._add(feed, entry)
                after = entry.id
            self._shelf.put(feed)
            self._opening.pop(run, None)  # who comes from now on finds the feed
            if feed.last is None:
                await self._relay.follow(run, after, lambda entry: self._hear(feed, entry, conversation))
        return feed

    def _hear(self, feed: Feed, entry: Entry, conversation: str | None) -> None:
        self._add(feed, entry)
        if conversation and entry.event["type"] in ("session", "error"):
            self._do(self._conversations.note(conversation, entry.event))

    def _add(self, feed: Feed, entry: Entry) -> None:
        feed.add(entry.line, entry.event, attempt=entry.place[0])
        self._witnesses.hear(feed.run, entry.line, entry.event)

    async def _entries(self, run: str) -> AsyncIterator[Entry]:
        key, least = self._fleet.keys.events(run), "-"
        while True:
            found = cast("Any", await self._fleet.redis.xrange(key, min=least, count=_PAGE))
            for name, fields in found:
                if b"event" in fields:
                    yield Entry(name.decode(), fields[b"event"])
            if len(found) < _PAGE:
                return
            least = f"({found[-1][0].decode()}"

    async def _look_at(self, feed: Feed) -> None:
        """Sends the readers away of a run that will tell nothing more, so that they learn what there is."""
        with suppress(Trouble):
            status = await self._fleet.status(feed.run)
            last = await self._fleet.last_event(feed.run)
            if (status is None or status.is_over) and (last is None or not last.is_terminal):
                for reader in tuple(feed.readers):
                    reader.leave()
                self._shelf.drop(feed.run)
                self._witnesses.lose(feed.run)
            elif not feed.readers and not self._witnesses.expects(feed.run):
                self._shelf.drop(feed.run)

    async def _abort(self, run: str) -> None:
        with suppress(Trouble, NoSuchRun, RunOver):
            await self._fleet.abort(run)

    async def _own(self, run: str, owner: Owner) -> RunStatus:
        status = await self._fleet.status(run)
        if status is None or not _is_of(status, owner):
            raise no_run()
        return status

    async def _claim(self, run: str, name: str) -> str:
        status = await self._fleet.status(run)
        return f"{self._fleet.keys.events(run)}:answer:{status.attempt if status else 0}:{name}"

    def _do(self, work: Any) -> None:
        async def done() -> None:
            with suppress(Trouble):
                async with self._room:
                    await work

        task = asyncio.create_task(done())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _job(composed: Composed, owner: Owner) -> Job:
    """Returns the job of a run.

    Raises:
        Refusal: No worker would accept it.
    """
    preset = composed.preset
    tenant = {"tenant": owner.tenant} if owner.tenant else {}
    document = {**composed.request, "worker": preset.worker, **preset.job_fields(), **tenant}
    try:
        job = parse_job(document, WORKERS)
        if not preset.is_skill:
            accept(WORKERS[preset.worker], job.request)
    except RequestProblems as found:
        raise misfit(found.problems) from None
    return job


def _is_of(status: RunStatus, owner: Owner) -> bool:
    return (status.fields.get("user"), status.fields.get("tenant")) == (owner.user, owner.tenant)


def _written(milliseconds: int) -> str:
    return timestamp(datetime.fromtimestamp(milliseconds / 1000, UTC))
