"""What becomes of the runs of processes that have gone."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from agent_workers.errors import WorkerError
from agent_workers.fleet.lines import WORKER_LOST, line

if TYPE_CHECKING:
    from agent_workers.fleet.serving.keeper import Keeper
    from agent_workers.fleet.serving.machine import Machine

logger = logging.getLogger("agent_workers.fleet")


class Sweeper:
    """Takes the runs of a queue from those who did not keep them.

    Args:
        machine: What all slots of this process share.
        queue: The queue.
        keeper: Keeps the leases that this process has of the queue.
    """

    def __init__(self, machine: Machine, queue: str, keeper: Keeper) -> None:
        self._machine = machine
        self._queue = queue
        self._keeper = keeper

    async def serve(self, entry: str, run: str) -> None:
        """Gives an abandoned run to another worker, or ends it."""
        if await self._was_away():
            return  # nobody could keep anything meanwhile, and those who live come back for what is theirs
        became = await self._machine.scripts.lose(self._queue, entry, run, line(run, WORKER_LOST))
        self._machine.tracing.takes_over(run, became)
        if became != "dropped":
            logger.warning("the worker of a run has gone: %s", became, extra={"run": run})
        if became in ("aborted", "dead"):
            self._machine.records.lose(run, became)
            await self._settle(run)

    async def _settle(self, run: str) -> None:
        """Keeps what the run had stored of its conversation by then."""
        status = await self._machine.fleet.status(run)
        session = status.fields.get("session_id") if status else None
        try:
            if status and session:
                await self._machine.carrier(status.fields["worker"]).settle(run, session)
        except WorkerError as error:
            logger.warning("its conversation could not be kept: %s", error.cause, extra={"run": run})

    async def _was_away(self) -> bool:
        """Whether Redis, or this process, was away within the last lease."""
        lease_s = self._machine.settings.lease_s
        if self._keeper.is_late or time.monotonic() - self._machine.trouble_at < lease_s:
            return True
        info = await self._machine.redis.info("server")
        return bool(info["uptime_in_seconds"] < lease_s)
