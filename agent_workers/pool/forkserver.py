"""The process that forks the workers, as the pool sees it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anyio

from agent_workers.pool.member import Member

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

_LONGEST = 1 << 17
_START_S = 60  # it takes less than one, on a machine that has the time
_FORK_S = 4  # milliseconds; less than a request waits at most
_START = "from agent_workers.cli.forkserver import start; start()"


class ForkserverLost(Exception):
    """Raised when the process that forks has ended."""


class Forkserver:
    """Forks workers from a process that has imported all that they need.

    Its environment is the pool's own.
    """

    def __init__(self) -> None:
        self._end, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-EP", "-c", _START, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=2,
                pass_fds=[theirs.fileno()],
            )
        self._end.setblocking(False)
        self._forking = anyio.Lock()
        self._is_broken = False

    @classmethod
    async def started(cls) -> Self:
        """Starts it and waits until it can fork.

        Raises:
            ForkserverLost: It could not be started.
        """
        server = cls()
        try:
            with server._killed_after(_START_S):
                await server._receive()
        except BaseException:
            server._end.close()
            server._process.kill()
            raise
        return server

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def fork(self, order: dict[str, Any]) -> Member:
        """Starts a worker process.

        Args:
            order: The fields of ``stdio.ahead.order.Order``.

        Raises:
            ForkserverLost: It has ended.
        """
        async with self._forking:
            with anyio.CancelScope(shield=True), self._killed_after(_FORK_S):  # else it may fork what nobody knows of
                await self._send(json.dumps(order).encode())
                message, channel = await self._receive()
        if channel is None:
            raise ForkserverLost
        channel.setblocking(False)
        return Member(message["pid"], order["pool"], channel, is_ahead=order["worker"] is not None)

    async def retire(self) -> None:
        """Has it end once its workers have, and what it forks at the moment."""
        async with self._forking:
            self._end.close()

    @property
    def lost(self) -> bool:
        """Whether it can fork no more."""
        return self._is_broken or self.has_ended

    @property
    def has_ended(self) -> bool:
        """Whether its process has ended."""
        return self._process.poll() is not None

    @contextmanager
    def _killed_after(self, seconds: float) -> Iterator[None]:
        """Kills it where something takes longer: it does not run."""
        with anyio.move_on_after(seconds):
            yield
            return
        self._process.kill()
        self._is_broken = True
        raise ForkserverLost

    async def _send(self, data: bytes) -> None:
        while True:
            try:
                self._end.send(data)
            except BlockingIOError:
                await anyio.wait_writable(self._end)
            except OSError:
                self._is_broken = True
                raise ForkserverLost from None
            else:
                return

    async def _receive(self) -> tuple[dict[str, Any], socket.socket | None]:
        while True:
            try:
                data, descriptors, _, _ = socket.recv_fds(self._end, _LONGEST, 1)
            except BlockingIOError:
                await anyio.wait_readable(self._end)
                continue
            except OSError:
                data, descriptors = b"", []
            if not data:
                self._is_broken = True
                raise ForkserverLost
            message = json.loads(data)
            if descriptors or not message:
                return message, socket.socket(fileno=descriptors[0]) if descriptors else None
