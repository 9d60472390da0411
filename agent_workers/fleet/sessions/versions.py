"""The versions of a session that its runs make: what a run began from is kept until the run has ended.

Only then does it count what the run has made of it; a later attempt begins from the same as the first one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.fleet.sessions.redis_calls import answered, text
from agent_workers.fleet.sessions.store import TTL_S

if TYPE_CHECKING:
    from agent_workers.fleet.sessions.store import SessionStore

_NOTHING = b""
"""Stands for what a run began from that began the session."""


class Versions:
    """What is stored of sessions while runs write them.

    Args:
        store: Where the fleet keeps them.
        client: From ``redis.asyncio``.
        prefix: The fleet's prefix.
    """

    def __init__(self, store: SessionStore, client: Any, prefix: str) -> None:
        self._store = store
        self._client = client
        self._prefix = prefix

    async def go_back(self, session: str, run: str) -> None:
        """Undoes what earlier attempts of a run have made of a session, where no other run has gone on from it."""
        base = await self._store.read(_base(session, run))
        if base is not None and await self._last(session) == run:
            if base == _NOTHING:
                await self._store.remove(session)
            else:
                await self._store.move(_base(session, run), session)
        await self.forget(session, run)

    async def note(self, session: str, run: str, data: bytes) -> str:
        """Stores what a run has made of a session so far; returns its SHA-256."""
        return (await self._store.write(_progress(session, run), data)).sha256

    async def commit(self, session: str, run: str) -> bool:
        """Makes what is noted of a run the session's conversation; False where nothing is noted."""
        if await self._store.find(_progress(session, run)) is None:
            return False
        if not await self._store.copy(session, _base(session, run)):
            await self._store.write(_base(session, run), _NOTHING)
        await answered(self._client.set(self._key(session, "last"), run, ex=TTL_S))
        return await self._store.move(_progress(session, run), session)

    async def forget(self, session: str, run: str) -> None:
        """Forgets what a run has noted, and what it began from."""
        await self._store.remove(_progress(session, run))
        await self._store.remove(_base(session, run))

    async def is_begun(self, session: str, run: str, place: str) -> bool:
        """Tells whether an attempt of a run has begun a session in this place, where it was not before."""
        return bool(await answered(self._client.sismember(self._key(session, "begun"), f"{run}\n{place}")))

    async def note_begun(self, session: str, run: str, place: str) -> None:
        """Notes that an attempt of a run is about to begin a session in this place, where it is not."""
        key = self._key(session, "begun")
        await answered(self._client.sadd(key, f"{run}\n{place}"))
        await answered(self._client.expire(key, TTL_S))

    async def _last(self, session: str) -> str | None:
        found = await answered(self._client.get(self._key(session, "last")))
        return None if found is None else text(found)

    def _key(self, session: str, what: str) -> str:
        return f"{self._prefix}:session:{session}:{what}"


def _progress(session: str, run: str) -> str:
    return f"{session}:run:{run}"


def _base(session: str, run: str) -> str:
    return f"{session}:base:{run}"
