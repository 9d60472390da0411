"""The terminal that this process belongs to, wherever its standard streams lead."""

from __future__ import annotations

import codecs
import fcntl
import os
import termios
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from anyio import wait_readable, wait_writable

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATH = "/dev/tty"
_CHUNK = 1 << 12
_WANTED = {  # by the place in what tcgetattr() returns: input, output and local modes
    0: termios.ICRNL,
    1: termios.OPOST | termios.ONLCR,
    3: termios.ICANON | termios.ECHO | termios.ECHOE | termios.ECHOCTL | termios.ISIG,
}
_LOCAL = 3
_LINE_MODES = termios.ICANON | termios.ECHO
_ABOVE_STANDARD = 3  # a closed stdin must not become the terminal


class TerminalLost(Exception):
    """Raised when the terminal cannot be used any more, or not by a process in the background."""


class ControllingTerminal:
    """Reads lines that a person types, and writes.

    Waiting is the event loop's: a cancelled call leaves no thread behind that would swallow what is typed later.

    Raises:
        OSError: The process has none.
    """

    def __init__(self) -> None:
        fd = os.open(
            _PATH, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK
        )  # our own, so that nobody else becomes non-blocking
        try:
            self._fd = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _ABOVE_STANDARD)
        finally:
            os.close(fd)
        self._keys = codecs.getincrementaldecoder("utf-8")("replace")
        self._found: list[Any] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """The number of columns and of rows."""
        try:
            columns, rows = os.get_terminal_size(self._fd)
        except OSError:
            columns = rows = 0
        return columns or 80, rows or 24

    @contextmanager
    def line_by_line(self) -> Iterator[None]:
        """Has lines edited and shown by the terminal meanwhile, and Ctrl-C stop the run, whatever was set before.

        Raises:
            TerminalLost: It cannot be used.
        """
        before = self._modes()
        wanted = [modes | _WANTED[place] if place in _WANTED else modes for place, modes in enumerate(before)]
        with self._changed(before, wanted):
            yield

    @contextmanager
    def key_by_key(self) -> Iterator[None]:
        """Has keys come as they are pressed meanwhile, and not shown by the terminal; Ctrl-C still stops the run.

        Raises:
            TerminalLost: It cannot be used.
        """
        before = self._modes()
        wanted = [modes & ~_LINE_MODES if place == _LOCAL else modes for place, modes in enumerate(before)]
        with self._changed(before, wanted):
            yield

    @contextmanager
    def _changed(self, before: list[Any], wanted: list[Any]) -> Iterator[None]:
        if wanted == before:
            yield
            return
        self._set_modes(wanted)
        self._found = self._found or before
        try:
            yield
        finally:
            with suppress(TerminalLost):
                self._set_modes(before)

    def restore(self) -> None:
        """Sets the modes that were found first, where the process ends in the midst of a change."""
        if self._found and self.is_ours:
            with suppress(TerminalLost):
                self._set_modes(self._found)

    @property
    def is_ours(self) -> bool:
        """Whether what is typed is meant for this process: one in the background must not touch it."""
        try:
            return os.tcgetpgrp(self._fd) == os.getpgrp()
        except OSError:
            return False

    @property
    def gives_lines(self) -> bool:
        """Whether the terminal gives whole lines: a program that reads it key by key, such as a pager, is at work else.

        Raises:
            TerminalLost: It cannot be used.
        """
        return bool(self._modes()[_LOCAL] & termios.ICANON)

    def forget_typed(self) -> None:
        """Drops what was typed and not read, also of a line that is not finished.

        Raises:
            TerminalLost: It cannot be used.
        """
        try:
            termios.tcflush(self._fd, termios.TCIFLUSH)
        except termios.error as error:
            raise TerminalLost from error

    async def read_line(self) -> str | None:
        """Reads the next line; None at the end of the input (Ctrl-D).

        Raises:
            TerminalLost: It cannot be used.
        """
        typed = b""
        while not typed.endswith(b"\n"):
            await wait_readable(self._fd)
            try:
                chunk = os.read(self._fd, _CHUNK)
            except BlockingIOError:
                continue
            except OSError as error:
                raise TerminalLost from error
            if not chunk:
                return None
            typed += chunk
        return typed.decode("utf-8", "replace")

    async def wait_typed(self) -> None:
        """Returns when there is something to read."""
        await wait_readable(self._fd)

    def read_keys(self) -> str:
        """Reads the keys that were pressed; empty where there are none.

        Raises:
            TerminalLost: It cannot be used.
        """
        try:
            chunk = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return ""
        except OSError as error:
            raise TerminalLost from error
        if not chunk:
            raise TerminalLost
        return self._keys.decode(chunk)

    async def write(self, text: str) -> None:
        """Writes a text whole.

        Raises:
            TerminalLost: It cannot be used.
        """
        data = text.encode("utf-8", "replace")
        while data:
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:
                await wait_writable(self._fd)
            except OSError as error:
                raise TerminalLost from error

    def _modes(self) -> list[Any]:
        try:
            return termios.tcgetattr(self._fd)
        except termios.error as error:
            raise TerminalLost from error

    def _set_modes(self, modes: list[Any]) -> None:
        try:
            termios.tcsetattr(self._fd, termios.TCSANOW, modes)
        except termios.error as error:
            raise TerminalLost from error
