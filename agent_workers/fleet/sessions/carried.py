"""The conversation of one attempt of a run: guarded, brought here, and stored while the run goes and at its end."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from agent_workers.errors import SessionBusy, StoreUnreachable, WorkerError
from agent_workers.fleet.sessions.store import hash_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

    from agent_workers.client.session_files import SessionFiles
    from agent_workers.fleet.sessions.lock import Holder, SessionLock
    from agent_workers.fleet.sessions.restore import Restoring
    from agent_workers.fleet.sessions.versions import Versions

logger = logging.getLogger("agent_workers")

NOT_SAVED = {
    "type": "notice",
    "level": "warning",
    "code": "session_not_saved",
    "message": "The conversation could not be stored for other machines. It cannot be continued from here.",
}
_PACE_S = 2.0
_GOING_S = 8.0  # a worker whose slot has gone ends within 5 s
_POLL_S = 0.1
_AGAIN_S = (0.2, 0.5, 1, 2)
"""How long the end waits between its tries to store the conversation."""


class Carried:
    """Made by ``SessionCarrier.around``; enter it before the worker is started, and end the run's stream within it.

    Raises:
        SessionBusy: On entering, another run has the session; on leaving, the session was lost to another run, and the
            block was cancelled.
        StateUnavailable: On entering, what is stored is damaged, or this machine cannot keep it.
        StoreUnreachable: On entering, the store or Redis does not answer.
    """

    def __init__(
        self,
        *,
        files: SessionFiles,
        lock: SessionLock,
        versions: Versions,
        restoring: Restoring,
        holder: Holder,
        session: Mapping[str, Any],
    ) -> None:
        self._files = files
        self._lock = lock
        self._versions = versions
        self._restoring = restoring
        self._holder = holder
        self._request = session
        self._guarded: str | None = None
        self._session: str | None = None
        self._taken: str | None = None
        self._base: str | None = None
        self._noted: str | None = None
        self._mark: object = None
        self._stirred = asyncio.Event()
        self._saving: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._owner: asyncio.Task[Any] | None = None
        self._cancelling = 0
        self._is_lost = False
        self._has_ended = False

    @property
    def lost(self) -> bool:
        """Whether the session is another run's by now; this run is being cancelled."""
        return self._is_lost

    async def saw(self, event: Mapping[str, Any]) -> None:
        """Takes note of an event of the run, before it is written where others read it."""
        if event.get("type") == "session" and isinstance(event.get("session_id"), str):
            await self._begun(event["session_id"])
        self._stirred.set()

    async def _begun(self, session: str) -> None:
        if self._guarded is None:
            try:
                await self._guard(session)
            except StoreUnreachable as error:
                logger.warning("a session is not guarded yet: %s", error.cause)
            except SessionBusy:  # two recordings tell of one session; a worker that keeps it has its machine's guard
                logger.warning("another run tells of this run's new session; it is not stored")
                self._taken = session
                return
        self._session = session

    async def end(self, is_final: bool) -> dict[str, Any] | None:
        """Ends the attempt, before its terminal event: stores the conversation where it was the run's last one.

        Args:
            is_final: Whether the run ends with this attempt.

        Returns:
            The body of a notice for the run's stream, where the conversation could not be stored; else None.

        Raises:
            SessionBusy: The session is another run's by now.
        """
        await _stopped(self._saving)
        if self._guarded:
            with suppress(StoreUnreachable):
                await self._lock.announce_end(self._guarded, self._holder)
        if not is_final or self._session is None:
            kept = await asyncio.to_thread(self._files.mark, self._taken) if is_final and self._taken else None
            return dict(NOT_SAVED) if kept else None
        saved = await self._save_at_end(self._session)
        self._has_ended = saved
        return None if saved else dict(NOT_SAVED)

    async def __aenter__(self) -> Self:
        self._owner = asyncio.current_task()
        assert self._owner is not None
        self._cancelling = self._owner.cancelling()
        try:
            await self._begin()
        except BaseException:
            await self._let_go()
            raise
        self._saving = asyncio.create_task(self._save_along())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        owner, self._owner = self._owner, None  # from here on nothing is lost any more
        assert owner is not None
        was_lost = self._is_lost and owner.uncancel() <= self._cancelling
        if self._has_ended and error is None and self._session:
            with suppress(StoreUnreachable):  # then it stays until nobody needs it for long
                await self._versions.forget(self._session, self._holder.run)
        await self._let_go()
        if was_lost and isinstance(error, asyncio.CancelledError | None):
            raise SessionBusy from None

    async def _begin(self) -> None:
        resumed, given = str(self._request.get("resume") or ""), str(self._request.get("id") or "")
        if resumed and self._request.get("fork"):
            await self._restoring.forked(resumed.lower())
            return
        session = (resumed or given).lower()
        if not session:
            return
        await self._guard(session)
        if self._holder.attempt > 1:
            await self._versions.go_back(session, self._holder.run)
        await self._restore(session, is_resumed=bool(resumed))

    async def _restore(self, session: str, *, is_resumed: bool) -> None:
        """Brings the session here; waits briefly for the worker of a lost attempt, which ends after its slot."""
        deadline = time.monotonic() + (_GOING_S if self._holder.attempt > 1 else 0)
        while True:
            try:
                if is_resumed:
                    self._base = await self._restoring.resumed(session)
                else:
                    await self._restoring.begun(session, self._holder.run)
                return
            except SessionBusy:
                if time.monotonic() >= deadline:
                    raise
            await asyncio.sleep(_POLL_S)

    async def _guard(self, session: str) -> None:
        if not await self._lock.take(session, self._holder):
            raise SessionBusy
        self._guarded = session
        self._keeping = asyncio.create_task(self._keep(session))

    async def _keep(self, session: str) -> None:
        """Keeps the lock; ends the run where another has it. Redis that is away takes it from nobody."""
        pause_s = self._lock.lease_s / 3
        while True:
            await asyncio.sleep(pause_s)
            try:
                async with asyncio.timeout(pause_s):
                    if not await self._lock.keep(session, self._holder):
                        break
            except (StoreUnreachable, TimeoutError):
                logger.warning("the lock of a session could not be kept; trying again")
        self._lose()

    def _lose(self) -> None:
        if not self._is_lost and self._owner:
            self._is_lost = True
            self._owner.cancel()

    async def _save_along(self) -> None:
        """Notes the conversation as the run goes: it counts where the run is lost for good."""
        while True:
            with suppress(TimeoutError):  # what an event tells of may be written after it
                async with asyncio.timeout(_PACE_S if self._session else None):
                    await self._stirred.wait()
            self._stirred.clear()
            began = time.monotonic()
            try:
                await self._save_progress()
            except SessionBusy:
                self._lose()
                return
            except WorkerError as error:
                logger.warning("a session could not be stored, and will be again: %s", error.cause)
                self._stirred.set()
            await asyncio.sleep(max(_PACE_S, 10 * (time.monotonic() - began)))  # a long one costs more

    async def _save_progress(self) -> None:
        session = self._session
        mark = await asyncio.to_thread(self._files.mark, session) if session else None
        if session is None or mark in (None, self._mark):
            return
        await self._note(session, settled=False)
        self._mark = mark

    async def _note(self, session: str, *, settled: bool) -> bool:
        """Stores what the run has made of the session; returns whether it has made anything."""
        data, found = await asyncio.to_thread(self._exported, session, settled)
        if data is None or found == (self._noted or self._base):
            return self._noted is not None
        await self._fence(session)
        self._noted = await self._versions.note(session, self._holder.run, data)
        return True

    def _exported(self, session: str, settled: bool) -> tuple[bytes | None, str]:
        data = self._files.export(session, settled=settled)
        return data, hash_of(data or b"")

    async def _save_at_end(self, session: str) -> bool:
        for pause_s in (*_AGAIN_S, None):
            try:
                if await self._note(session, settled=True):
                    await self._fence(session)
                    await self._versions.commit(session, self._holder.run)
                return True
            except SessionBusy:
                raise
            except WorkerError as error:
                logger.warning("a session could not be stored: %s", error.cause)
            if pause_s is not None:
                await asyncio.sleep(pause_s)
        return False

    async def _fence(self, session: str) -> None:
        """Makes sure, right before a write, that no other run and no later attempt has the session."""
        if self._guarded is None:
            await self._guard(session)
        elif not await self._lock.keep(session, self._holder):
            raise SessionBusy

    async def _let_go(self) -> None:
        await _stopped(self._saving)
        await _stopped(self._keeping)
        session, self._guarded = self._guarded, None
        if session:
            with suppress(StoreUnreachable):  # then the lease ends
                await self._lock.release(session, self._holder)


async def _stopped(task: asyncio.Task[None] | None) -> None:
    if task:
        task.cancel()
        await asyncio.wait([task])
