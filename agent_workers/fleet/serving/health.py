"""What a process of the fleet tells of itself over HTTP: health and metrics."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import anyio
from redis.exceptions import RedisError

from agent_workers.fleet.serving.exposition import encoder_for
from agent_workers.fleet.serving.fleet_meters import FleetMeters
from agent_workers.fleet.serving.http import Answer, Answering

if TYPE_CHECKING:
    from agent_workers.fleet.serving.http import Asked
    from agent_workers.fleet.serving.machine import Machine
    from agent_workers.fleet.serving.meters import Meters

_PING_S = 2.0


class Health(Answering):
    """Answers ``/healthz``, ``/readyz`` and ``/metrics``.

    Args:
        machine: What is asked about.
        meters: Its figures.
    """

    def __init__(self, machine: Machine, meters: Meters) -> None:
        self._machine = machine
        self._registry = meters.registry
        self._fleet = FleetMeters(machine)
        self._registry.register(self._fleet)

    async def answer(self, asked: Asked) -> Answer:
        """Answers a request."""
        if asked.path == "/healthz":  # the loop turns, or nobody would say so
            return Answer(b"ok\n")
        if asked.path == "/readyz":
            problem = await self._problem()
            return Answer(f"{problem}\n".encode(), HTTPStatus.SERVICE_UNAVAILABLE) if problem else Answer(b"ok\n")
        if asked.path == "/metrics":
            await self._fleet.ask()
            encode, kind = encoder_for(asked.accept)
            return Answer(encode(self._registry), kind=kind)
        return Answer(b"There are /healthz, /readyz and /metrics here.\n", HTTPStatus.NOT_FOUND)

    async def _problem(self) -> str:
        """Says why this process takes no jobs; empty where it does."""
        if self._machine.is_draining:
            return "draining: it takes no more jobs"
        if not self._machine.is_up:
            return "starting"
        return "" if await self._reaches_redis() else "Redis is away"

    async def _reaches_redis(self) -> bool:
        with anyio.move_on_after(_PING_S):
            try:
                return bool(await self._machine.redis.ping())
            except RedisError:
                return False
        return False
