"""What all slots of a process share."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from agent_workers.client.aio import AsyncProcessRunner
from agent_workers.client.session_files import SessionFiles
from agent_workers.fleet.fleet import Fleet
from agent_workers.fleet.serving.records import Records
from agent_workers.fleet.serving.tracing import Tracing
from agent_workers.fleet.serving.watch import Watch
from agent_workers.fleet.sessions.address import open_store
from agent_workers.fleet.sessions.carrier import SessionCarrier
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from redis.asyncio import Redis

    from agent_workers.fleet.keys import Keys
    from agent_workers.fleet.scripts import Scripts
    from agent_workers.fleet.serving.settings import WorkSettings
    from agent_workers.protocol.v1.job import Accepting

logger = logging.getLogger("agent_workers.fleet")


class Machine:
    """One process of the fleet.

    Args:
        settings: What it was told at its start.
        redis: A client that returns bytes.
        watch: Who is told what this process does.
        tracing: What traces its attempts.
        records: What records its runs.

    Raises:
        ValueError: The address of the conversations is none.

    Attributes:
        is_up: Whether it takes jobs.
        is_draining: Whether it begins nothing more.
        trouble_at: When Redis, or this process, was last found to have been away, by the monotonic clock.
    """

    def __init__(
        self,
        settings: WorkSettings,
        redis: Redis,
        watch: Watch | None = None,
        tracing: Tracing | None = None,
        records: Records | None = None,
    ) -> None:
        self.settings = settings
        self.redis = redis
        self.fleet = Fleet(redis, prefix=settings.prefix, keep_s=settings.keep_s, dead_s=settings.dead_s)
        self.watch = watch or Watch()
        self.tracing = tracing or Tracing()
        self.records = records or Records()
        self.is_up = False
        self.is_draining = False
        self.trouble_at = -math.inf
        self._carriers: dict[bool, SessionCarrier] = {}
        self._runners: dict[str, AsyncProcessRunner] = {}
        self.carrier("")  # an address that is none is told now

    @property
    def keys(self) -> Keys:
        """The fleet's keys."""
        return self.fleet.keys

    @property
    def scripts(self) -> Scripts:
        """The fleet's scripts."""
        return self.fleet.scripts

    @property
    def workers(self) -> Mapping[str, Accepting]:
        """The workers that jobs may name."""
        own = {name: WORKERS["agent-chat"] for name in self.settings.workers if name not in WORKERS}
        return {**WORKERS, **own}

    def runner(self, worker: str) -> AsyncProcessRunner:
        """Returns what runs the requests of a worker, each in a process of its own."""
        if worker not in self._runners:
            arguments = [f"--policy={self.settings.policy}"] if self.settings.policy else []
            command = self.settings.workers.get(worker) or [worker, *arguments]
            self._runners[worker] = AsyncProcessRunner(*command, env=self.settings.environment())
        return self._runners[worker]

    def carrier(self, worker: str) -> SessionCarrier:
        """Returns what has the conversations of a worker follow its runs."""
        words = self.settings.workers.get(worker, [])
        is_simulated = any(word.startswith("--simulate") for word in words)
        if is_simulated not in self._carriers:
            store = open_store(self.settings.sessions, client=self.redis, prefix=self.settings.prefix)
            self._carriers[is_simulated] = SessionCarrier(
                store,
                client=self.redis,
                prefix=self.settings.prefix,
                files=SessionFiles(self.settings.environment(), simulated=is_simulated),
                lease_s=self.settings.lease_s,
            )
        return self._carriers[is_simulated]

    async def pause(self, credential: str, delay_ms: int, run: str) -> None:
        """Has the jobs of a credential wait, on all machines: the API has had enough of it."""
        words = "the API limits the rate of credential %r: its jobs wait for %d ms, on all machines"
        logger.warning(words, credential, delay_ms, extra={"run": run})
        try:
            await self.fleet.scripts.pause(credential, delay_ms)
        except RedisError as error:  # it is for others; this run goes on
            logger.warning("credential %r could not be paused: %s", credential, error)
