"""The pool's server: accepts connections and sees to it that each gets a worker, or a word why not."""

from __future__ import annotations

import logging
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio

from agent_workers.errors import InternalError, PolicyDenied, PoolFull, WorkerError, defect
from agent_workers.pool.caller import Caller
from agent_workers.pool.forkserver import Forkserver, ForkserverLost
from agent_workers.pool.metrics import metrics_response
from agent_workers.pool.pools import Pools
from agent_workers.pool.room import Room
from agent_workers.pool.service_manager import notify
from agent_workers.pool.status import status_line
from agent_workers.pool.users import always_allowed, uids_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from anyio.abc import TaskGroup

    from agent_workers.pool.listening import Listening
    from agent_workers.pool.member import Member
    from agent_workers.pool.settings import PoolSettings

logger = logging.getLogger("agent_workers.pool")

_ROOM = 256 << 20
_MOST_AT_ONCE = 512  # connections that have not said yet what they want, or wait
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
        self._limiter = anyio.CapacityLimiter(_MOST_AT_ONCE)

    async def serve(self) -> None:
        """Serves until SIGTERM or SIGINT; reads the settings anew at SIGHUP.

        Raises:
            ForkserverLost: No worker can be started.
        """
        forkserver = await Forkserver.started()
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
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
                await self._stop(pools, signals)
                tasks.cancel_scope.cancel()

    async def _tend(self, pools: Pools, scope: anyio.CancelScope) -> None:
        with scope:
            await pools.tend()

    async def _accept(self, pools: Pools, tasks: TaskGroup, scope: anyio.CancelScope) -> None:
        with scope:
            while True:
                await self._limiter.acquire_on_behalf_of(marker := object())
                connection = await self._accepted()
                tasks.start_soon(self._attend, pools, connection, marker)

    async def _accepted(self) -> socket.socket:
        while True:
            try:
                return self._listening.socket.accept()[0]
            except BlockingIOError:
                await anyio.wait_readable(self._listening.socket)
            except OSError as error:  # no descriptor is left, or the client has gone already
                logger.warning("a connection could not be accepted: %s", error.strerror)
                await anyio.sleep(_BREATH_S)

    async def _attend(self, pools: Pools, connection: socket.socket, marker: object) -> None:
        caller = Caller(connection, self._room)
        try:
            await self._answer(pools, caller)
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
            self._limiter.release_on_behalf_of(marker)

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
        notify("RELOADING=1")
        try:
            settings = self._read_again()
            users = uids_of(settings.allow_users or ()) | always_allowed()
            pools.replace(settings, await Forkserver.started())
        except Exception as error:  # noqa: BLE001 a faulty file must not end what runs
            logger.error("the settings are as they were: %s", error)
        else:
            self._settings, self._users = settings, users
            logger.info("new settings: %s", ", ".join(settings.pool))
        notify("READY=1")

    async def _stop(self, pools: Pools, signals: object) -> None:
        """Ends what waits, lets what runs end, and stops it where that takes long."""
        for member in pools.everyone:
            if member.state != "busy":
                member.end()
        with anyio.move_on_after(self._settings.stop_s), suppress(StopAsyncIteration):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_until_signal, signals, tasks.cancel_scope)
                await _all_gone(pools.everyone)
                tasks.cancel_scope.cancel()
        await _stopped(pools.everyone)


async def _until_signal(signals: object, scope: anyio.CancelScope) -> None:
    await anext(signals)  # type: ignore[call-overload]
    scope.cancel()


async def _all_gone(members: list[Member]) -> None:
    for member in members:
        await member.gone.wait()


async def _stopped(members: list[Member]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        for member in members:
            member.signal(number)
        with anyio.move_on_after(_STOP_S):
            await _all_gone(members)
            return
