"""Has conversations follow the runs of a fleet, whichever machine takes them."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

from agent_workers.fleet.sessions.carried import Carried
from agent_workers.fleet.sessions.lock import Holder, SessionLock
from agent_workers.fleet.sessions.restore import Restoring
from agent_workers.fleet.sessions.versions import Versions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.client.session_files import SessionFiles
    from agent_workers.fleet.sessions.store import SessionStore

_LEASE_S = 30.0
_LAST = 1 << 31


class SessionCarrier:
    """Carries the conversations of a machine's runs.

    Args:
        store: Where the fleet keeps them.
        client: From ``redis.asyncio``.
        prefix: The fleet's prefix.
        files: The sessions of this machine.
        lease_s: For how long a lost run keeps its session.
    """

    def __init__(
        self, store: SessionStore, *, client: Any, prefix: str, files: SessionFiles, lease_s: float = _LEASE_S
    ) -> None:
        self._files = files
        self._lock = SessionLock(client, prefix, lease_s=lease_s)
        self._versions = Versions(store, client, prefix)
        self._restoring = Restoring(store, files, self._versions)
        self._consumer = f"{socket.gethostname()}:{os.getpid()}"

    def around(self, *, run: str, attempt: int, request: Mapping[str, Any], consumer: str | None = None) -> Carried:
        """Returns what an attempt of a run is made in: an ``async with`` block.

        Args:
            run: The run's id.
            attempt: Its number.
            request: The run's request, by the contract's names.
            consumer: The slot's name.
        """
        session = request.get("session")
        return Carried(
            files=self._files,
            lock=self._lock,
            versions=self._versions,
            restoring=self._restoring,
            holder=Holder(run, attempt, consumer or self._consumer),
            session=session if isinstance(session, dict) else {},
        )

    async def settle(self, run: str, session: str) -> bool:
        """Keeps what the last attempt of a run had stored when it was lost, as the session's conversation.

        Args:
            run: The run's id; it has ended.
            session: The session that its last attempt wrote.

        Returns:
            Whether there was something to keep. Not where another run has the session by now.

        Raises:
            StoreUnreachable: The store or Redis does not answer.
        """
        holder = Holder(run, _LAST, self._consumer)
        if not await self._lock.take(session, holder):
            await self._versions.forget(session, run)
            return False
        try:
            kept = await self._versions.commit(session, run)
            await self._versions.forget(session, run)
        finally:
            await self._lock.release(session, holder)
        return kept
