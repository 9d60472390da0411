"""The fleet as those have it who ask something of it: submit, follow, stop, look."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from agent_workers.fleet.connection import connect
from agent_workers.fleet.events import follow, last_event
from agent_workers.fleet.keys import DEFAULT_PREFIX, Keys
from agent_workers.fleet.lines import ABORTED, line
from agent_workers.fleet.scripts import Scripts
from agent_workers.fleet.status import RunStatus
from agent_workers.wire import dump

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from typing import Self

    from redis.asyncio import Redis

    from agent_workers.fleet.events import Entry
    from agent_workers.protocol.v1.job import Job

KEEP_S = 86_400
"""How long a run's events are kept after its end, unless the operator says otherwise."""
DEAD_S = 30 * 86_400
"""How long the job of a run that failed for good is kept."""
_ECHOED = ("metadata", "subject", "user", "goal")


class RunTaken(Exception):
    """Raised where a run's id is that of another job."""


class NoSuchRun(Exception):
    """Raised where there is no such run, or it has ended too long ago."""


class RunOver(Exception):
    """Raised where a run has ended, and can be told nothing more."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job that the fleet has.

    Attributes:
        run: The run's id.
        is_new: Whether it came now; else the same job was submitted before.
        state: Where it is: ``scheduled``, ``queued``, ``admitted``, ``running``, ``done``, ``error`` or ``aborted``.
    """

    run: str
    is_new: bool
    state: str


class Fleet:
    """One fleet. Any number of processes may use it; nothing is kept here.

    Args:
        redis: A client of the fleet's Redis, which returns bytes.
        prefix: What its keys begin with.
        keep_s: How long a run's events are kept after its end, where it ends here: an abort before it began.
        dead_s: How long the job of one that failed for good is kept.
    """

    def __init__(
        self, redis: Redis, *, prefix: str = DEFAULT_PREFIX, keep_s: float = KEEP_S, dead_s: float = DEAD_S
    ) -> None:
        self.redis = redis
        self.keys = Keys(prefix)
        self.scripts = Scripts(redis, self.keys, keep_ms=round(keep_s * 1000), dead_ms=round(dead_s * 1000))

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, **settings: Any) -> AsyncIterator[Self]:
        """Connects, and closes the connections at the end.

        Raises:
            ValueError: The address is none.
        """
        redis = connect(url)
        try:
            yield cls(redis, **settings)
        finally:
            await redis.aclose()

    async def submit(self, job: Job, *, retry_of: str | None = None) -> Submitted:
        """Has a job run, once: the same job with the same ``run`` is the same.

        Args:
            job: The job.
            retry_of: The failed run whose job it was.

        Raises:
            RunTaken: Its ``run`` is that of another job.
        """
        said, state = await self.scripts.submit(
            _required(job), _more(job) | ({"retry_of": retry_of} if retry_of else {})
        )
        if said == "other":
            raise RunTaken(
                f"run {job.run} is another job, or has other options: give each job its own `run`, or leave it out"
            )
        return Submitted(job.run, said == "new", state)

    async def status(self, run: str) -> RunStatus | None:
        """Returns what is known of a run; None where there is none, or it has ended too long ago."""
        found = cast("Mapping[bytes, bytes]", await self.redis.hgetall(self.keys.job(run)))
        return RunStatus.read(run, found) if found else None

    async def is_served(self, queue: str) -> bool:
        """Returns whether a process of the fleet takes jobs of a queue now."""
        seconds, _ = await self.redis.time()
        return bool(await self.redis.zcount(self.keys.of_queue(queue, "slots"), seconds * 1000, "+inf"))

    def follow(self, run: str, after: str = "0-0") -> AsyncIterator[Entry]:
        """Yields a run's events after an entry, and waits for more, up to its terminal event.

        Args:
            run: The run's id.
            after: Id of the last entry that the reader has, ``<attempt>-<seq>``.

        Raises:
            NoSuchRun: There is no such run, or it has ended too long ago.
        """
        return follow(self.redis, self.keys, run, after, NoSuchRun)

    async def last_event(self, run: str) -> Entry | None:
        """Returns a run's last event so far; None where it has none, or its attempt has just begun."""
        return await last_event(self.redis, self.keys, run)

    async def send(self, run: str, message: Mapping[str, Any]) -> str:
        """Tells a run something, as a control message; returns the ``id`` that its ``ack`` bears.

        Raises:
            NoSuchRun: There is no such run.
            RunOver: It has ended.
        """
        name = str(message.get("id") or uuid4())
        said = await self.scripts.control(run, str(message["type"]), dump({**message, "id": name}), line(run, ABORTED))
        if said == "unknown":
            raise NoSuchRun(f"there is no run {run}, or it has ended too long ago")
        if said == "over":
            raise RunOver(f"run {run} has ended")
        return name

    async def abort(self, run: str) -> None:
        """Stops a run: one that has not begun ends at once; see ``send`` for what is raised."""
        await self.send(run, {"type": "abort"})


def document_of(job: Job) -> dict[str, Any]:
    """Returns a job as one JSON object: its request, and beside it its own fields."""
    return {"worker": job.worker, **job.fields.model_dump(mode="json", exclude_unset=True), **job.request}


def _required(job: Job) -> list[object]:
    fields = job.fields
    return [
        job.run,
        dump(document_of(job)),
        fields.queue,
        fields.tenant or "",
        fields.credential or "",
        fields.priority,
        fields.attempts,
        _milliseconds(fields.run_at),
        _milliseconds(fields.expires_at),
        job.worker,
        job.request.get("user") or "",
        job.request.get("traceparent") or "",
        int(fields.on_failure is not None),
    ]


def _more(job: Job) -> dict[str, object]:
    echoed = {name: job.request[name] for name in _ECHOED if job.request.get(name) is not None}
    more = {"echo": f",{json.dumps(echoed, separators=(',', ':'))[1:-1]}"} if echoed else {}
    if skill := job.request.get("skill"):
        more["skill"] = str(skill)
    return {**more}


def _milliseconds(moment: Any) -> object:
    return round(moment.timestamp() * 1000) if moment else ""
