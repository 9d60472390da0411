"""Whoever follows runs of a fleet whose parts are killed: readers, and the application that runs the tools."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from random import Random
from typing import Any
from uuid import uuid4

from redis.exceptions import RedisError, ResponseError

from agent_workers.fleet.events import Entry
from agent_workers.fleet.fleet import Fleet, NoSuchRun, RunOver
from tests.e2e.desk import give, permit

PAUSE_S = 0.1
_GROUP = "application"
_ABANDONED_MS = 1_000


async def pause(seconds: float) -> None:
    """Lets time pass: this is no wait for something."""
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), seconds)


async def insist(ask: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Asks as often as it takes for Redis to be there."""
    while True:
        try:
            return await ask()
        except RedisError:
            await pause(PAUSE_S)


class Reader:
    """Follows a run from its start.

    Args:
        fleet: The fleet.
        run: The run.
        random: Where it is given, the reader leaves now and then and comes back, at a random entry that it has seen.
        answers: Whether it permits what the run asks for.

    Attributes:
        entries: What it has now.
        faults: What must not be.
    """

    def __init__(self, fleet: Fleet, run: str, random: Random | None = None, *, answers: bool = False) -> None:
        self._fleet = fleet
        self._run = run
        self._random = random
        self._answers = answers
        self._seen: dict[str, bytes] = {}
        self.entries: list[tuple[str, bytes]] = []
        self.faults: list[str] = []

    async def follow(self) -> None:
        """Follows to the terminal event."""
        while not await insist(self._follow_once):
            pass

    async def _follow_once(self) -> bool:
        after = self.entries[-1][0] if self.entries else "0-0"
        async for entry in self._fleet.follow(self._run, after):
            self._take(entry)
            if self._answers and entry.event["type"] == "permission_request":
                await self._permit(entry)
            if entry.is_terminal:
                return True
            if self._random and self._random.random() < 0.02:
                del self.entries[self._random.randrange(len(self.entries)) + 1 :]
                return False
        self.faults.append(f"{self._run}: the reader was let go without a terminal event")
        return True

    def _take(self, entry: Entry) -> None:
        if self._seen.setdefault(entry.id, entry.line) != entry.line:
            self.faults.append(f"{self._run}: {entry.id} was {self._seen[entry.id]!r}, and is {entry.line!r}")
        self.entries.append((entry.id, entry.line))

    async def _permit(self, entry: Entry) -> None:
        with suppress(RunOver):
            await self._fleet.send(self._run, permit(entry.event))


class Application:
    """Runs the tools of all runs, each effect once: a call that comes again is answered from the record.

    Args:
        fleet: The fleet.
        random: Decides when it dies between an effect and its answer; the call then comes to it again.

    Attributes:
        effects: How often each run's effect was made.
        died: How often it has died.
    """

    def __init__(self, fleet: Fleet, random: Random) -> None:
        self._fleet = fleet
        self._random = random
        self._record: dict[str, str] = {}
        self.effects: Counter[str] = Counter()
        self.replays: Counter[str] = Counter()
        self.died = 0

    async def serve(self) -> None:
        """Answers calls until it is cancelled."""
        await insist(self._found)
        while True:
            for entry, fields in await insist(self._next):
                await insist(lambda entry=entry, fields=fields: self._serve(entry, fields))

    async def _found(self) -> None:
        try:
            await self._fleet.redis.xgroup_create(self._fleet.keys.calls, _GROUP, id="0", mkstream=True)
        except ResponseError as error:  # it is there
            if "BUSYGROUP" not in str(error):
                raise

    async def _next(self) -> list[Any]:
        redis, calls = self._fleet.redis, self._fleet.keys.calls
        found = (await redis.xautoclaim(calls, _GROUP, "a", _ABANDONED_MS, count=10))[1]
        new = await redis.xreadgroup(_GROUP, "a", {calls: ">"}, count=10, block=200)
        return [*found, *(new[0][1] if new else [])]

    async def _serve(self, entry: bytes, fields: dict[bytes, bytes]) -> None:
        event = json.loads(fields[b"event"])
        key = event["effect_key"]
        if is_new := key not in self._record:
            self._record[key] = f"receipt {uuid4()}"
            self.effects[event["run"]] += 1
            if self._random.random() < 0.2:
                self.died += 1
                return  # it comes again
        self.replays[event["run"]] += not is_new
        with suppress(RunOver, NoSuchRun):
            await self._fleet.send(event["run"], give(event, self._record[key], replayed=not is_new))
        await self._fleet.redis.xack(self._fleet.keys.calls, _GROUP, entry)
