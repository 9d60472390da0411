"""Standard output, claimed for events alone."""

from __future__ import annotations

import os
import select
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from agent_workers.errors import OutputClosed

if TYPE_CHECKING:
    from anyio import Event

# A pipe that poll() calls writable takes this much without blocking (PIPE_BUF, pipe(7)).
_CHUNK = select.PIPE_BUF
_CLOSED = select.POLLERR | select.POLLHUP | select.POLLNVAL


class Output(Protocol):
    """What takes the lines: stdout itself, or what renders them there.

    Attributes:
        tells_errors: Whether it tells an ``error`` event, details and all, on stderr.
    """

    tells_errors: bool

    async def send(self, line: bytes) -> None:
        """Takes one line; waits while the reader is slow.

        Raises:
            OutputClosed: Nobody reads.
        """
        ...

    def send_now(self, line: bytes) -> None:
        """Takes one line without an event loop.

        Raises:
            OutputClosed: Nobody reads.
        """
        ...

    async def wait_closed(self) -> None:
        """Returns when the reader has gone."""
        ...


class Stdout:
    """The process's stdout under a private descriptor.

    A slow reader never blocks the process. The descriptor's other end may be shared, so it is not simply switched to
    non-blocking mode: a pipe is opened anew, anything else is only written to when it takes more.
    """

    tells_errors = False

    def __init__(self, fd: int) -> None:
        self._fd = _reopened(fd)
        self._never_blocks = not os.get_blocking(self._fd)
        self._pending = bytearray()
        self._room: Event | None = None  # while somebody waits for the reader
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLOUT)

    @classmethod
    def claim(cls) -> Stdout:
        """Takes fd 1 for the events and points fd 1 at stderr, so that a stray ``print`` cannot harm the stream.

        Raises:
            OutputClosed: There is no stdout.
        """
        if not _is_open(1):
            raise OutputClosed
        for fd in (0, 2):
            if not _is_open(fd):
                os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, before another file does
        sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
        fd = os.dup(1)
        os.dup2(2, 1)
        return cls(fd)

    def fileno(self) -> int:
        """Returns the private descriptor, to be asked where it leads; what is written there goes through ``send``."""
        return self._fd

    async def send(self, line: bytes) -> None:
        """Writes one line; a cancelled call leaves the rest of it to the next.

        Raises:
            OutputClosed: Nobody reads.
        """
        self._pending += line
        while self._pending:
            if not self._write_some():
                await self._wait_for_room()

    def send_now(self, line: bytes, *, patience_s: float = 5) -> None:
        """Writes one line without an event loop.

        Args:
            line: The line with its newline.
            patience_s: Seconds to wait for a reader that takes nothing.

        Raises:
            OutputClosed: Nobody reads.
        """
        self._pending += line
        while self._pending:
            if not self._write_some() and not self._poll.poll(patience_s * 1000):
                raise OutputClosed

    async def _wait_for_room(self) -> None:
        from anyio import Event, wait_writable

        if self._room is not None:  # only one may wait for a descriptor
            await self._room.wait()
            return
        self._room = Event()
        try:
            await wait_writable(self._fd)
        finally:
            self._room.set()
            self._room = None

    def _write_some(self) -> bool:
        """Writes what can be written without waiting; False if that is nothing."""
        try:
            if self._never_blocks:
                written = os.write(self._fd, self._pending)
            elif self._poll.poll(0):
                written = os.write(self._fd, self._pending[:_CHUNK])
            else:
                return False
        except BlockingIOError:
            return False
        except OSError as error:
            raise OutputClosed from error
        del self._pending[:written]
        return True

    async def wait_closed(self) -> None:
        """Returns when the reader has gone; never for a file or a terminal, which cannot tell."""
        from anyio import sleep, sleep_forever, wait_readable

        mode = os.fstat(self._fd).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            await wait_readable(self._fd)  # the write end of a pipe becomes readable when its last reader goes
            while not any(flags & _CLOSED for _, flags in self._poll.poll(0)):  # noqa: ASYNC110 nothing tells of it
                await sleep(1)
            return
        await sleep_forever()


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _reopened(fd: int) -> int:
    """Returns a non-blocking descriptor of the pipe where the system offers one (Linux); else the same descriptor."""
    if stat.S_ISFIFO(os.fstat(fd).st_mode):
        with suppress(OSError):
            return os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    return fd
