"""Standard output, claimed for events alone."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING, Protocol

from agent_workers.errors import OutputClosed
from agent_workers.stdio.unblocked import Unblocked

if TYPE_CHECKING:
    from anyio import Event


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
    """The process's stdout under a private descriptor. A slow reader never blocks the process."""

    tells_errors = False

    def __init__(self, fd: int) -> None:
        self._out = Unblocked(fd)
        self._room: Event | None = None  # while somebody waits for the reader

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
        return self._out.fd

    async def send(self, line: bytes) -> None:
        """Writes one line; a cancelled call leaves the rest of it to the next.

        Raises:
            OutputClosed: Nobody reads.
        """
        self._out.pending += line
        while self._out.pending:
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
        self._out.pending += line
        while self._out.pending:
            if not self._write_some() and not self._out.ready(patience_s):
                raise OutputClosed

    async def _wait_for_room(self) -> None:
        from anyio import Event, wait_writable

        if self._room is not None:  # only one may wait for a descriptor
            await self._room.wait()
            return
        self._room = Event()
        try:
            await wait_writable(self._out.fd)
        finally:
            self._room.set()
            self._room = None

    def _write_some(self) -> bool:
        """Writes what can be written without waiting; False if that is nothing."""
        try:
            return self._out.write_some()
        except OSError as error:
            raise OutputClosed from error

    async def wait_closed(self) -> None:
        """Returns when the reader has gone; never for a file or a terminal, which cannot tell."""
        from anyio import sleep, sleep_forever, wait_readable

        mode = os.fstat(self._out.fd).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            await wait_readable(self._out.fd)  # the write end of a pipe becomes readable when its last reader goes
            while not self._out.closed:  # noqa: ASYNC110 nothing tells of it
                await sleep(1)
            return
        await sleep_forever()


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
