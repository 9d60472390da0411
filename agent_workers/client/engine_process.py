"""A run inside this process, as a conversation has a worker's process: bytes out, lines in, a status at the end."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections import deque
from typing import TYPE_CHECKING

import anyio
from anyio.lowlevel import checkpoint

from agent_workers.errors import EXIT_ABORTED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent_workers.ending import AbortReason

_MOST_UNREAD = 1 << 18  # bytes; then the run waits for its reader
_STDERR_KEPT = 1 << 16


class EngineProcess:
    """A run that is driven by an event loop: this thread's, or another's.

    Args:
        serve: Runs the request, which it gets as a line, and returns the exit status.
        spawn: Starts a task in the loop.
        loop: The loop.

    Attributes:
        status: The exit status; None while it runs.
        tells_its_end: Always: ``ready`` and ``wait`` return at the end too.
        stop: Ends the run in good order; set by whoever drives it.
        stopped: Why the run is to end, where that was said before there was somebody to end it.
    """

    tells_its_end = True

    def __init__(
        self,
        serve: Callable[[EngineProcess, bytes], Awaitable[int]],
        spawn: Callable[..., object],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.status: int | None = None
        self.stop: Callable[[AbortReason], None] | None = None
        self.stopped: AbortReason | None = None
        self._control: Callable[[bytes], None] | None = None
        self._early: list[bytes] = []  # what was sent before somebody took it
        self._serve = serve
        self._spawn = spawn
        self._loop = loop
        self._scope: anyio.CancelScope | None = None  # made in the loop
        self._is_killed = False
        self._chunks: deque[bytes] = deque()
        self._unread = 0
        self._stderr = ""
        self._handed: set[asyncio.Task[None]] = set()
        self._has_begun = False
        self._is_closed = False
        self._is_woken = False
        self._changed = threading.Condition()
        self._told: anyio.Event | None = None
        self._room: anyio.Event | None = None

    @property
    def stderr(self) -> str:
        """What a worker's process would have written to stderr: the end of it."""
        return self._stderr

    @property
    def has_output(self) -> bool:
        """Whether there is, or may be, more to take."""
        return bool(self._chunks) or self.status is None

    async def ready(self) -> None:
        """Waits, in the run's own loop, until ``take`` has something to do."""
        if self._chunks or self.status is not None:
            await checkpoint()
            return
        self._told = self._told or anyio.Event()
        await self._told.wait()

    def wait(self, timeout_s: float | None) -> None:
        """Waits in another thread than the loop's."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_woken or self._chunks or self.status is not None, timeout_s)
            self._is_woken = False

    def send(self, line: bytes) -> bool:
        """Takes the request, and then control messages; says whether the run is still there."""
        if not self._has_begun:
            self._has_begun = True
            self._in_loop(self._spawn, self._run, line)
        elif self.status is None:
            self._in_loop(self._hand, line)
        return self.status is None

    def take(self) -> list[bytes]:
        """Returns what the run has written since."""
        with self._changed:
            chunks = list(self._chunks)
            self._chunks.clear()
            was_full, self._unread = self._unread > _MOST_UNREAD, 0
        if was_full:
            self._in_loop(self._make_room)
        return chunks

    def end_input(self) -> None:
        """Does nothing: who has the run is not gone as long as this process is there."""

    def signal(self, number: int) -> None:
        """Stops the run in good order for SIGTERM, at once for any other."""
        if number == signal.SIGTERM:
            self._in_loop(self._stop)
        else:
            self._in_loop(self._kill)

    def wake(self) -> None:
        """Ends a wait at once. Any thread may do that."""
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()
        self._in_loop(self._tell)

    def close(self) -> None:
        """Ends the run at once, where it has not ended."""
        self._is_closed = True
        if self.status is None:
            self.status = -signal.SIGKILL
            self._in_loop(self._kill)

    def write_stderr(self, text: str) -> None:
        """Keeps what is for operators."""
        self._stderr = (self._stderr + text + "\n")[-_STDERR_KEPT:]

    def send_now(self, line: bytes) -> None:
        """Adds a line for the reader, without waiting for it."""
        with self._changed:
            self._unread += len(line)
            self._chunks.append(line)
        self._tell()

    async def write(self, line: bytes) -> None:
        """Adds a line for the reader; waits while it has too much to read."""
        self.send_now(line)
        while self._unread > _MOST_UNREAD and not self._is_closed:
            self._room = anyio.Event()
            await self._room.wait()

    def obey(self, control: Callable[[bytes], None] | None) -> None:
        """Has the lines that follow the request taken, those first that have come by now; None for nobody any more."""
        self._control = control
        early, self._early = self._early, []
        if control:
            for line in early:
                control(line)

    async def _run(self, line: bytes) -> None:
        status = EXIT_ABORTED
        try:
            with anyio.CancelScope() as self._scope:
                if self._is_killed:
                    self._scope.cancel()
                status = await self._serve(self, line)
        finally:
            self.status = status if self.status is None else self.status
            self._tell()

    def _kill(self) -> None:
        self._is_killed = True
        if self._scope:
            self._scope.cancel()

    def _hand(self, line: bytes) -> None:
        if self._control:
            self._control(line)
        elif self.stop is None:  # the run has not begun yet
            self._early.append(line)

    def _make_room(self) -> None:
        if self._room:
            self._room.set()

    def _stop(self) -> None:
        self.stopped = "signal"
        if self.stop:
            self.stop("signal")

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()
        if self._told:
            self._told.set()
            self._told = None

    def _in_loop(self, call: Callable[..., object], *arguments: object) -> None:
        try:
            is_here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            is_here = False
        if is_here:
            call(*arguments)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._begin_task, call, arguments)

    def _begin_task(self, call: Callable[..., object], arguments: tuple[object, ...]) -> None:
        async def do() -> None:
            call(*arguments)

        task = self._loop.create_task(do())  # what it calls must find a task that it runs in
        self._handed.add(task)
        task.add_done_callback(self._handed.discard)
