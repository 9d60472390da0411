"""Brings the events of many runs out of Redis over few connections, each of which waits for hundreds of runs."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from agent_workers.fleet.connection import BLOCK_MS, Trouble
from agent_workers.fleet.events import Entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_workers.fleet.fleet import Fleet

logger = logging.getLogger("agent_workers.gateway")

_RUNS = 500
"""How many runs a connection waits for."""
_AT_ONCE = 500
_PAUSE_S = 0.5
_WAKE_MS = 60_000


class Lane:
    """One connection, and the runs that it waits for.

    Args:
        fleet: Where they are.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._wake = f"{fleet.keys.prefix}:gateway:wake:{uuid4()}"
        self._woken = "0-0"
        self._places: dict[str, str] = {}
        self._hear: dict[str, Callable[[Entry], None]] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def is_full(self) -> bool:
        """Whether it takes no more runs."""
        return len(self._places) >= _RUNS

    @property
    def is_idle(self) -> bool:
        """Whether it waits for none."""
        return not self._places

    def has(self, run: str) -> bool:
        """Whether it waits for a run."""
        return run in self._places

    async def follow(self, run: str, after: str, hear: Callable[[Entry], None]) -> None:
        """Brings a run's events from now on.

        Args:
            run: The run.
            after: Id of the last entry that is known.
            hear: Takes each event.
        """
        self._places[run], self._hear[run] = after, hear
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._bring())
            return
        with suppress(Trouble):  # it looks again by itself, within BLOCK_MS
            await self._fleet.redis.xadd(self._wake, {"": ""}, maxlen=1, approximate=False)
            await self._fleet.redis.pexpire(self._wake, _WAKE_MS)

    def leave(self, run: str) -> None:
        """Brings a run's events no more."""
        self._places.pop(run, None)
        self._hear.pop(run, None)

    async def close(self) -> None:
        """Ends it."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _bring(self) -> None:
        while self._places:
            try:
                await self._next()
            except Trouble as error:
                logger.warning("Redis is away: %s", error)
                await asyncio.sleep(_PAUSE_S)

    async def _next(self) -> None:
        keys = {self._fleet.keys.events(run): run for run in self._places}
        wanted: Any = {key: self._places[run] for key, run in keys.items()} | {self._wake: self._woken}
        found = cast("Any", await self._fleet.redis.xread(wanted, count=_AT_ONCE, block=BLOCK_MS))
        for key, entries in found or ():
            run = keys.get(key.decode())
            if run is None:
                self._woken = entries[-1][0].decode()
                continue
            for name, fields in entries:
                self._tell(run, name.decode(), fields)

    def _tell(self, run: str, name: str, fields: dict[bytes, bytes]) -> None:
        if run not in self._places:
            return  # nobody wants it any more
        self._places[run] = name
        if b"event" in fields:  # else an attempt begins
            entry = Entry(name, fields[b"event"])
            if entry.is_terminal:
                hear = self._hear[run]
                self.leave(run)
                hear(entry)
            else:
                self._hear[run](entry)


class Relay:
    """Brings the events of any number of runs.

    Args:
        fleet: Where they are.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._lanes: list[Lane] = []

    async def follow(self, run: str, after: str, hear: Callable[[Entry], None]) -> None:
        """Brings a run's events from now on; see ``Lane.follow``."""
        lane = next((lane for lane in self._lanes if not lane.is_full), None)
        if lane is None:
            self._lanes.append(lane := Lane(self._fleet))
        await lane.follow(run, after, hear)

    def leave(self, run: str) -> None:
        """Brings a run's events no more."""
        for lane in self._lanes:
            lane.leave(run)

    async def close(self) -> None:
        """Ends it."""
        for lane in self._lanes:
            await lane.close()
