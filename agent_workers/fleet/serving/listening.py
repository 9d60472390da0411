"""A process of the fleet that can be asked how it does."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from agent_workers.fleet.serving.health import Health
from agent_workers.fleet.serving.http import forget, open_listener, serve
from agent_workers.fleet.serving.machine import Machine
from agent_workers.fleet.serving.meters import Meters

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis.asyncio import Redis

    from agent_workers.fleet.serving.records import Records
    from agent_workers.fleet.serving.settings import WorkSettings
    from agent_workers.fleet.serving.tracing import Tracing


@asynccontextmanager
async def watched(
    settings: WorkSettings, redis: Redis, address: str, tracing: Tracing, records: Records
) -> AsyncIterator[Machine]:
    """Answers for a process while it serves, up to its end.

    Raises:
        ValueError: The address cannot be opened.
    """
    meters = Meters()
    machine = Machine(settings, redis, meters, tracing, records)
    try:
        listener = await open_listener(address)
    except OSError as error:
        raise ValueError(f"cannot listen at {address}: {error.strerror or error}") from error
    try:
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(serve, listener, Health(machine, meters))
            yield machine
            tasks.cancel_scope.cancel()
    finally:
        forget(address)
