"""Keeps what a process has of a queue: its slots, what they have in hand, and the queue's clock."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import anyio
from redis.exceptions import RedisError, ResponseError

from agent_workers.fleet.keys import GROUP
from agent_workers.fleet.lines import around_run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from agent_workers.fleet.serving.machine import Machine
    from agent_workers.fleet.serving.slot import Slot

logger = logging.getLogger("agent_workers.fleet")

_TICK_S = 1.0
_LATE = 2 / 3
"""Part of a lease after which its renewal is late; it is due after a third."""


class Keeper:
    """Serves one queue of a process.

    Args:
        machine: What all slots of this process share.
        queue: The queue.
        slots: The queue's slots here.
        refounded: Called when the queue's consumer group was gone, and is there again.
    """

    def __init__(
        self, machine: Machine, queue: str, slots: Sequence[Slot], refounded: Callable[[], Awaitable[None]]
    ) -> None:
        self._machine = machine
        self._queue = queue
        self._slots = slots
        self._refounded = refounded
        self._kept_at = time.monotonic()

    async def found(self) -> bool:
        """Makes the queue's consumer group, from the queue's beginning; returns whether there was none."""
        try:
            await self._machine.redis.xgroup_create(self._machine.keys.jobs(self._queue), GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
            return False
        await self._machine.redis.sadd(self._machine.keys.queues, self._queue)
        return True

    async def keep(self) -> None:
        """Renews the leases, until it is cancelled."""
        self._kept_at = time.monotonic()
        pause_s = min(self._machine.settings.lease_s / 3, 5)
        while True:
            await self._insist(self.keep_once)
            await anyio.sleep(pause_s)

    async def tick(self) -> None:
        """Does what is due, until it is cancelled."""
        while True:
            await self._insist(self._tick_once)
            await anyio.sleep(_TICK_S)

    @property
    def is_late(self) -> bool:
        """Whether the leases should have been renewed long ago: Redis stands still, or this process did."""
        return time.monotonic() - self._kept_at > _LATE * self._machine.settings.lease_s

    async def keep_once(self) -> None:
        """Renews the leases; stops what has become another's."""
        consumers = [] if self._machine.is_draining else [slot.consumer for slot in self._slots]
        held = [slot.held for slot in self._slots if slot.held]
        lost = await self._machine.scripts.keep(self._queue, self._machine.settings.lease_ms, consumers, held)
        if self.is_late:
            self._machine.trouble_at = time.monotonic()
        self._kept_at = time.monotonic()
        for slot in self._slots:
            if slot.attempt and slot.held and slot.held.run in lost:
                slot.attempt.lose()

    async def _tick_once(self) -> None:
        if await self.found():
            logger.warning("queue %s had lost its group: was Redis emptied?", self._queue)
            await self._refounded()
        await self._machine.scripts.tick(self._queue, *around_run())

    async def _insist(self, step: Callable[[], Awaitable[None]]) -> None:
        try:
            await step()
        except RedisError as error:  # the next time comes soon
            self._machine.trouble_at = time.monotonic()
            logger.warning("queue %s: Redis: %s", self._queue, error)
