"""What a run finds of its conversation on this machine before it begins: nothing of a lost attempt is in it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agent_workers.errors import SessionBusy
from agent_workers.fleet.sessions.store import hash_of

if TYPE_CHECKING:
    from agent_workers.client.session_files import SessionFiles
    from agent_workers.fleet.sessions.store import SessionStore
    from agent_workers.fleet.sessions.versions import Versions


class Restoring:
    """Brings conversations to this machine.

    Args:
        store: Where the fleet keeps them.
        files: The sessions of this machine.
        versions: What runs have made of them.
    """

    def __init__(self, store: SessionStore, files: SessionFiles, versions: Versions) -> None:
        self._store = store
        self._files = files
        self._versions = versions

    async def resumed(self, session: str) -> str | None:
        """Brings what a run goes on from; returns its SHA-256, None where nobody knows the session.

        What only this machine has was begun before there was a fleet: it is stored.
        """
        version = await self._store.find(session)
        local = await asyncio.to_thread(self._files.export, session)
        if version is None:
            return None if local is None else (await self._store.write(session, local)).sha256
        if local is None or not version.fits(local):
            local = await self._install(session)
        return None if local is None else hash_of(local)

    async def forked(self, session: str) -> None:
        """Brings what a run forks, which is read as it is, also while another run writes it."""
        try:
            await self.resumed(session)
        except SessionBusy:
            if await asyncio.to_thread(self._files.locate, session) is None:
                raise

    async def begun(self, session: str, run: str) -> None:
        """Removes what a lost attempt of this run has begun on this machine of a new session with a given id."""
        if await self._store.find(session):
            await self._install(session)  # the worker says then that the id is taken
            return
        place = await asyncio.to_thread(lambda: self._files.place)
        if await self._versions.is_begun(session, run, place):
            await asyncio.to_thread(self._files.remove, session)
        elif await asyncio.to_thread(self._files.locate, session) is None:
            await self._versions.note_begun(session, run, place)

    async def _install(self, session: str) -> bytes | None:
        data = await self._store.read(session)
        if data is not None:
            await asyncio.to_thread(self._files.install, session, data)
        return data
