"""Runs that failed for good, until a person has looked at them: listed, submitted again, dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid5

from agent_workers.fleet.fleet import RunTaken, Submitted
from agent_workers.fleet.status import FIELDS, RunStatus
from agent_workers.protocol.document import parse_json
from agent_workers.protocol.v1.job import parse_job
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent_workers.fleet.fleet import Fleet

_AT_ONCE = 500
_TIMES = ("run_at", "expires_at")


class NotDead(Exception):
    """Raised where a run is not among those that failed for good."""


class JobGone(Exception):
    """Raised where the job of a failed run is not kept any more."""


@dataclass(frozen=True, slots=True)
class DeadRun:
    """A run that failed for good.

    Attributes:
        run: Its id.
        failed: When, in milliseconds since the epoch.
        status: What is known of it, without its job; None where it has ended too long ago.
    """

    run: str
    failed: int
    status: RunStatus | None

    def as_json(self) -> dict[str, Any]:
        """Returns what ``dead list --json`` shows."""
        return {"run": self.run, "failed": self.failed, **(self.status.as_json() if self.status else {"state": None})}


@dataclass(frozen=True, slots=True)
class Which:
    """Some of the failed runs.

    Attributes:
        code: The code of their error; None for any.
        queue: Their queue.
        tenant: Their tenant.
        person: Whom their ``on_failure`` names.
    """

    code: str | None = None
    queue: str | None = None
    tenant: str | None = None
    person: str | None = None

    def has(self, dead: DeadRun) -> bool:
        """Whether a run is one of them; of one that has ended too long ago that is not known."""
        wanted = {"code": self.code, "queue": self.queue, "tenant": self.tenant, "person": self.person}
        known = dead.status.fields if dead.status else {}
        return all(value is None or known.get(name) == value for name, value in wanted.items())


async def dead_runs(fleet: Fleet, which: Which = Which()) -> AsyncIterator[DeadRun]:
    """Yields failed runs, those that failed last first."""
    found: Any = await fleet.redis.zrevrange(fleet.keys.dead, 0, -1, withscores=True)
    for at in range(0, len(found), _AT_ONCE):
        page = [(run.decode(), int(failed)) for run, failed in found[at : at + _AT_ONCE]]
        async with fleet.redis.pipeline(transaction=False) as asked:
            for run, _ in page:
                asked.hmget(fleet.keys.job(run), FIELDS)
            told = await asked.execute()
        for (run, failed), values in zip(page, told, strict=True):
            known = {name.encode(): value for name, value in zip(FIELDS, values, strict=True) if value is not None}
            dead = DeadRun(run, failed, RunStatus.read(run, known) if known else None)
            if which.has(dead):
                yield dead


async def retry(fleet: Fleet, run: str) -> Submitted:
    """Submits the job of a failed run again, as a new run, without the times that it waited for then.

    However often that is done, it becomes one run.

    Raises:
        NotDead: It is not among those that failed for good.
        JobGone: Its job is not kept any more.
        RequestProblems: Its job would not be accepted today.
        RunTaken: Its new id is that of another job.
    """
    if await fleet.redis.zscore(fleet.keys.dead, run) is None:
        raise NotDead(await _why_not(fleet, run))
    status = await fleet.status(run)
    if status is None:
        raise JobGone(f"{run}: its job is not kept any more, and can only be dropped")
    document = parse_json(status.job)
    assert isinstance(document, dict)
    kept = {name: value for name, value in document.items() if name not in _TIMES}
    again = str(uuid5(NAMESPACE_OID, f"retry of {run}"))
    try:
        done = await fleet.submit(parse_job({**kept, "run": again}, WORKERS), retry_of=run)
    except RunTaken:  # another program may have submitted it, and written it in another way
        known = await fleet.status(again)
        if known is None or known.fields.get("retry_of") != run:
            raise
        done = Submitted(again, is_new=False, state=known.state)
    await fleet.scripts.settle(run, done.run)
    return done


async def drop(fleet: Fleet, run: str) -> None:
    """Takes a failed run off the list; its job goes when its events do.

    Raises:
        NotDead: It is not among those that failed for good.
    """
    if not await fleet.scripts.settle(run):
        raise NotDead(await _why_not(fleet, run))


async def _why_not(fleet: Fleet, run: str) -> str:
    status = await fleet.status(run)
    if status is None:
        return f"{run}: there is no such run, or it has ended too long ago"
    if again := status.fields.get("retried_as"):
        return f"{run}: was submitted again, as {again}"
    return f"{run}: is not among the runs that failed for good; it is {status.state}"
