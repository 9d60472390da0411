"""Passes on jobs that have failed for good to the queue that they name."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

import anyio
from redis.exceptions import RedisError

from agent_workers.fleet.fleet import RunTaken
from agent_workers.fleet.streams import first
from agent_workers.protocol.v1.job import parse_job
from agent_workers.protocol.v1.problem import RequestProblems

if TYPE_CHECKING:
    from agent_workers.fleet.serving.machine import Machine

logger = logging.getLogger("agent_workers.fleet")

_PAUSE_S = 1.0
_AT_ONCE = 10


class Escalation:
    """Serves the stream of failures. Several machines may: a job is passed on once, for its new run's id is known.

    Args:
        machine: What all slots of this process share.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    async def serve(self) -> None:
        """Passes on what comes, until it is cancelled."""
        while True:
            try:
                await self._step()
            except RedisError as error:
                logger.warning("failed jobs could not be passed on yet: %s", error)
            await anyio.sleep(_PAUSE_S)

    async def _step(self) -> None:
        for entry, fields in await first(self._machine.redis, self._machine.keys.escalations, _AT_ONCE):
            try:
                await self._pass_on(fields[b"run"].decode())
            except RedisError:
                raise
            except Exception:  # one that is not as this fleet writes it stops none of the others
                logger.exception("what stands in entry %s could not be passed on", entry)
            await self._machine.redis.xdel(self._machine.keys.escalations, entry)

    async def _pass_on(self, run: str) -> None:
        text = await self._machine.redis.hget(self._machine.keys.job(run), "job")
        document = json.loads(text) if text else {}
        where = document.pop("on_failure", {}).get("queue")
        if not where:
            return
        document |= {"queue": where, "run": escalated(run)}
        for gone in ("run_at", "expires_at"):
            document.pop(gone, None)
        try:
            await self._machine.fleet.submit(parse_job(document, self._machine.workers))
            await self._machine.redis.hset(self._machine.keys.job(run), "escalated_to", escalated(run))
        except (RequestProblems, RunTaken) as problem:
            logger.warning("the failed job could not be passed on: %s", problem, extra={"run": run})


def escalated(run: str) -> str:
    """Returns the id of the run that goes on with a failed one."""
    return str(uuid5(NAMESPACE_URL, f"agent-workers:escalated:{run}"))
