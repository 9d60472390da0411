"""A worker process, as the pool sees it."""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import anyio

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable

    from agent_workers.pool.caller import Asked, Caller

_LONGEST = 1 << 17

State = Literal["starting", "idle", "busy", "live", "ending"]


@dataclass(eq=False)
class Member:
    """One worker process.

    Attributes:
        pid: Its process id.
        pool: Name of its pool.
        channel: The pool's end of the connection with it.
        is_ahead: Whether it was started ahead of a request.
        state: What it does.
        since: ``time.monotonic()`` of the last change of its state.
        memory: Bytes that it takes, with its agent, as far as it has told.
        run: Id of its run; empty without.
        session: The session that its agent has been kept for.
        caller: Process and user at the other end of its last run.
        gone: Set when the process has ended.
    """

    pid: int
    pool: str
    channel: socket.socket
    is_ahead: bool
    state: State = "starting"
    since: float = field(default_factory=time.monotonic)
    memory: int = 0
    run: str = ""
    session: str | None = None
    caller: tuple[int, int] = (0, 0)
    told_end: bool = False
    gone: anyio.Event = field(default_factory=anyio.Event)

    def become(self, state: State) -> None:
        """Notes what it does from now on."""
        self.state, self.since = state, time.monotonic()

    def hand_over(self, caller: Caller, asked: Asked, way: str) -> bool:
        """Hands it the connection; returns False where it has ended."""
        message = {"hello": asked.hello.for_worker(), "size": asked.size, "accepted": caller.accepted, "way": way}
        data = json.dumps(message).encode()
        try:
            socket.send_fds(self.channel, [data], [caller.connection.fileno(), asked.file])
        except OSError:
            return False
        self.caller = caller.peer.pid, caller.peer.uid
        self.told_end = False
        self.become("busy")
        return True

    def end(self) -> None:
        """Has it end, where it is not busy."""
        self.become("ending")
        self._tell({"end": True})

    def ask_memory(self) -> None:
        """Asks what it takes of the memory; it tells while it waits."""
        self._tell({"measure": True})

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        if not self.gone.is_set():
            with suppress(OSError):
                os.kill(self.pid, number)

    def _tell(self, message: dict[str, Any]) -> None:
        with suppress(OSError):
            self.channel.send(json.dumps(message).encode())

    async def listen(self, heard: Callable[[Member, dict[str, Any]], None]) -> None:
        """Reads what it tells until it has ended."""
        while data := await self._receive():
            heard(self, json.loads(data))
        self.channel.close()
        self.gone.set()

    async def _receive(self) -> bytes:
        while True:
            try:
                return self.channel.recv(_LONGEST)
            except BlockingIOError:
                await anyio.wait_readable(self.channel)
            except OSError:
                return b""
