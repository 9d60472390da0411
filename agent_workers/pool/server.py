"""The pool's server: accepts connections and sees to it that each gets a worker, or a word why not."""

from __future__ import annotations

import logging
import signal
from collections import Counter
from typing import TYPE_CHECKING

import anyio
from anyio.lowlevel import checkpoint

from agent_workers.errors import InternalError, PolicyDenied, PoolFull, WorkerError, defect
from agent_workers.pool.caller import Caller
from agent_workers.pool.forkserver import Forkserver, ForkserverLost
from agent_workers.pool.metrics import metrics_response
from agent_workers.pool.pools import Pools
from agent_workers.pool.room import Room
from agent_workers.pool.status import status_line
from agent_workers.pool.users import always_allowed, uids_of
from agent_workers.service_manager import notify, notify_reload

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable

    from anyio.abc import TaskGroup

    from agent_workers.pool.listening import Listening
    from agent_workers.pool.settings import PoolSettings

logger = logging.getLogger("agent_workers.pool")

_ROOM = 256 << 20
_MOST_AT_ONCE = 512  # connections that no worker has yet
_BREATH_S = 0.1
_STOP_S = 8  # a run that is told to stop has ended within 5 s


class PoolServer:
    """Serves a pool until it is told to stop.

    Args:
        listening: The socket.
        settings: Its settings.
        read_again: Reads the settings anew.
    """

    def __init__(self, listening: Listening, settings: PoolSettings, read_again: Callable[[], PoolSettings]) -> None:
        self._listening = listening
        self._settings = settings
        self._read_again = read_again
        self._users = uids_of(settings.allow_users or ()) | always_allowed()
        self._room = Room(_ROOM)
        self._callers: dict[Caller, None] = {}

    async def serve(self) -> None:
        """Serves until SIGTERM or SIGINT; reads the settings anew at SIGHUP.

        Raises:
            ForkserverLost: No worker can be started.
        """
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            forkserver = await Forkserver.started()
            async with anyio.create_task_group() as tasks:
                pools = Pools(self._settings, forkserver, tasks)
                tending = anyio.CancelScope()
                tasks.start_soon(self._tend, pools, tending)
                accepting = anyio.CancelScope()
                tasks.start_soon(self._accept, pools, tasks, accepting)
                notify("READY=1")
                logger.info("listening at %s: %s", self._listening.path, ", ".join(self._settings.pool))
                async for number in signals:
                    if number != signal.SIGHUP:
                        break
                    await self._reload(pools)
                notify("STOPPING=1")
                accepting.cancel()
                tending.cancel()
                self._listening.close()
                for caller in list(self._callers):
                    caller.drop(PoolFull(cause="the pool is being stopped"))
                await self._stop(pools, signals)
                tasks.cancel_scope.cancel()

    async def _tend(self, pools: Pools, scope: anyio.CancelScope) -> None:
        with scope:
            await pools.tend()

    async def _accept(self, pools: Pools, tasks: TaskGroup, scope: anyio.CancelScope) -> None:
        with scope:
            while True:
                caller = Caller(await self._accepted(), self._room, self._settings.request_s)
                self._callers[caller] = None
                if len(self._callers) > _MOST_AT_ONCE:
                    self._drop_one()
                tasks.start_soon(self._attend, pools, caller)

    def _drop_one(self) -> None:
        """Drops a connection that has not said all that it wants: the oldest of the user who has most of these."""
        silent = [caller for caller in self._callers if not caller.has_asked]
        numbers = Counter(caller.peer.uid for caller in silent)
        dropped = max(silent, key=lambda caller: numbers[caller.peer.uid])
        del self._callers[dropped]
        dropped.drop(PoolFull(cause=f"more than {_MOST_AT_ONCE} connections wait, and this one has not asked yet"))

    async def _accepted(self) -> socket.socket:
        while True:
            await checkpoint()
            try:
                return self._listening.socket.accept()[0]
            except BlockingIOError:
                await anyio.wait_readable(self._listening.socket)
            except OSError as error:  # no descriptor is left, or the client has gone already
                logger.warning("a connection could not be accepted: %s", error.strerror)
                await anyio.sleep(_BREATH_S)

    async def _attend(self, pools: Pools, caller: Caller) -> None:
        try:
            with caller.scope:
                await self._answer(pools, caller)
            if caller.scope.cancelled_caught and caller.refusal:
                raise caller.refusal
        except WorkerError as error:
            logger.warning(
                "uid=%d caller=%d refused: %s: %s", caller.peer.uid, caller.peer.pid, error.code, error.cause
            )
            await caller.refuse(error)
        except ForkserverLost:
            await caller.refuse(PoolFull(cause="no worker could be started"))
        except Exception as error:  # noqa: BLE001 one client's request must not end all
            logger.error("a request could not be served: %s", defect(error))
            await caller.refuse(InternalError(cause=defect(error)))
        finally:
            caller.close()
            self._callers.pop(caller, None)

    async def _answer(self, pools: Pools, caller: Caller) -> None:
        if caller.peer.uid not in self._users:
            words = f"The pool does not serve user {caller.peer.uid}. Its operator must add the user to allow_users."
            raise PolicyDenied(words, cause=f"user {caller.peer.uid} is not in allow_users")
        asked = await caller.ask()
        if isinstance(asked, bytes):
            await caller.answer(await metrics_response(asked, pools))
        elif asked and asked.hello.status:
            await caller.answer(await status_line(pools))
        elif asked:
            await pools.serve(caller, asked)

    async def _reload(self, pools: Pools) -> None:
        notify_reload()
        try:
            settings = self._read_again()
            users = uids_of(settings.allow_users or ()) | always_allowed()
            await pools.replace(settings, await Forkserver.started())
        except Exception as error:  # noqa: BLE001 a faulty file must not end what runs
            pools.fault = str(error)
            logger.error("the settings are as they were: %s", error)
        else:
            for name in ("socket", "group"):
                if getattr(settings, name) != getattr(self._settings, name):
                    logger.warning("%s: another one needs a restart", name)
            self._settings, self._users = settings, users
            logger.info("new settings: %s", ", ".join(settings.pool))
        notify("READY=1")

    async def _stop(self, pools: Pools, signals: AsyncIterator[signal.Signals]) -> None:
        """Ends what waits, lets what runs end, and stops it where that takes long."""
        busy = sum(member.state == "busy" for member in pools.everyone)
        logger.info("stopping: %d runs have up to %g s to end", busy, self._settings.stop_s)
        with anyio.move_on_after(self._settings.stop_s):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_until_signal, signals, tasks.cancel_scope)
                await _all_gone(pools)
                tasks.cancel_scope.cancel()
        await _stopped(pools)


async def _until_signal(signals: AsyncIterator[signal.Signals], scope: anyio.CancelScope) -> None:
    async for number in signals:
        if number != signal.SIGHUP:
            scope.cancel()


async def _all_gone(pools: Pools) -> None:
    """Waits until the processes have ended; those that only wait are told to."""
    while members := pools.everyone:
        changed = pools.changed
        for member in members:
            if member.state not in {"busy", "ending"}:
                member.end()
        await changed.wait()


async def _stopped(pools: Pools) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        for member in pools.everyone:
            member.signal(number)
        with anyio.move_on_after(_STOP_S):
            await _all_gone(pools)
            return
