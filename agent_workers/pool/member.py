"""A worker process, as the pool sees it."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import anyio

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_workers.pool.caller import Asked, Caller

_LONGEST = 1 << 17

_TAKE_S = 5  # a process that runs takes it at once
_START_S = 20  # or as soon as its agent has been started
State = Literal["starting", "idle", "busy", "live", "ending"]


def _set_event() -> anyio.Event:
    event = anyio.Event()
    event.set()
    return event


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
        fault: Why its agent could not wait; empty where it could.
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
    fault: str = ""
    told_end: bool = False
    _has_taken: anyio.Event = field(default_factory=_set_event)
    _is_silent: bool = False
    _heard: Callable[[dict[str, Any]], None] | None = None
    gone: anyio.Event = field(default_factory=anyio.Event)

    def become(self, state: State) -> None:
        """Notes what it does from now on."""
        self.state, self.since = state, time.monotonic()

    async def hand_over(self, caller: Caller, asked: Asked, way: str) -> bool:
        """Hands it the connection and waits until it has that; returns False where it has ended instead.

        Args:
            caller: Whose connection it is.
            asked: What has been read of it.
            way: Why the run is cold; empty where it may not be.
        """
        self._has_taken = anyio.Event()
        patience_s = _TAKE_S if self.state != "starting" else _START_S
        if not self._hand(caller, asked, way):
            return False
        with anyio.CancelScope(shield=True):  # it may have it already
            with anyio.move_on_after(patience_s):
                await self._has_taken.wait()
            if not self._has_taken.is_set():
                self.signal(signal.SIGKILL)  # it does not run, and must not take it later
                await self.gone.wait()
        return self.state != "ending"

    def note_taken(self) -> None:
        """Notes that it has the connection that it was handed."""
        self._has_taken.set()

    def _hand(self, caller: Caller, asked: Asked, way: str) -> bool:
        message = {"hello": asked.hello.for_worker(), "size": asked.size, "accepted": caller.accepted, "way": way}
        data = json.dumps(message, ensure_ascii=False).encode()  # not longer than what came
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

    async def listen(self, heard: Callable[[dict[str, Any]], None]) -> None:
        """Reads what it tells until it has ended.

        Args:
            heard: Called with each message.
        """
        self._heard = heard
        while self.hear():
            await anyio.wait_readable(self.channel)
        if not self._has_taken.is_set():
            self.become("ending")
            self._has_taken.set()
        self.channel.close()
        self.gone.set()

    def hear(self) -> bool:
        """Reads what it has told by now; returns False where it has ended."""
        while self._heard and not self._is_silent:
            try:
                data = self.channel.recv(_LONGEST)
            except BlockingIOError:
                return True
            except OSError:
                data = b""
            self._is_silent = not data
            if data:
                self._heard(json.loads(data))
        return not self._is_silent
