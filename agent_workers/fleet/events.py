"""A run's events, as any reader follows them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from agent_workers.fleet.connection import BLOCK_MS
from agent_workers.fleet.streams import last, last_id, read
from agent_workers.protocol.v1.envelope import TERMINAL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis.asyncio import Redis

    from agent_workers.fleet.keys import Keys

_AT_ONCE = 500


@dataclass(frozen=True)
class Entry:
    """An event in a run's stream.

    Attributes:
        id: ``<attempt>-<seq>``.
        line: The event's line, without its newline.
    """

    id: str
    line: bytes

    @cached_property
    def event(self) -> dict[str, Any]:
        """The event."""
        found: dict[str, Any] = json.loads(self.line)
        return found

    @property
    def place(self) -> tuple[int, int]:
        """Its attempt, and its number there."""
        return place_of(self.id)

    @property
    def is_terminal(self) -> bool:
        """Whether the run has ended with it."""
        return self.event["type"] in TERMINAL


async def last_event(redis: Redis, keys: Keys, run: str) -> Entry | None:
    """Returns a run's last event; None where it has none, or its attempt has just begun."""
    found = await last(redis, keys.events(run))
    return Entry(found[0], found[1][b"event"]) if found and b"event" in found[1] else None


async def follow(redis: Redis, keys: Keys, run: str, after: str, missing: type[Exception]) -> AsyncIterator[Entry]:
    """Yields the events after an entry, up to the terminal one; see ``Fleet.follow``."""
    key = keys.events(run)
    while True:
        entries = await read(redis, key, after, block_ms=BLOCK_MS, count=_AT_ONCE)
        for name, fields in entries:
            after = name
            if b"event" not in fields:
                continue  # where an attempt begins
            entry = Entry(after, fields[b"event"])
            yield entry
            if entry.is_terminal:
                return
        if not entries and await _is_over(redis, keys, run, after):
            raise missing(f"there is no run {run}, or nothing of it after {after}: it has ended")


async def _is_over(redis: Redis, keys: Keys, run: str, after: str) -> bool:
    """Whether nothing will come: the reader has the run's last event, or the run has gone."""
    state: bytes | None = cast("Any", await redis.hget(keys.job(run), "state"))
    if state is None:
        return not await redis.exists(keys.events(run)) or await _is_last(redis, keys, run, after)
    return state.decode() in TERMINAL and await _is_last(redis, keys, run, after)


async def _is_last(redis: Redis, keys: Keys, run: str, after: str) -> bool:
    name = await last_id(redis, keys.events(run))
    return name is None or place_of(name) <= place_of(after)


def place_of(entry: str) -> tuple[int, int]:
    """Returns the attempt and the number that an entry's id is made of."""
    attempt, _, seq = entry.partition("-")
    return int(attempt), int(seq or 0)
