"""A worker under test: its process, what it is told, and what it says. Whatever it does, the kit stays in control."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from agent_workers.conformance.lines import Lines
from agent_workers.conformance.place import KEY
from agent_workers.conformance.stderr import Stderr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent_workers.conformance.start import Start

_CHUNK = 1 << 16
_TICK_S = 0.5
_SHORT_TICK_S = 0.05  # where the system does not tell the end of a process
_DYING_S = 2


class Subject:
    """The process of one run.

    Args:
        start: Starts it.
        command: The program and its arguments.
        env: Its environment.

    Attributes:
        lines: What it has written to stdout.
        stderr: What it has written to stderr.
        ended_at: ``time.monotonic()`` when its end was seen.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self, start: Start, command: Sequence[str], env: Mapping[str, str]) -> None:
        self.lines = Lines()
        self.stderr = Stderr(KEY.encode())
        self.ended_at: float | None = None
        self._unsent = bytearray()
        self._closes_stdin = False
        self._tick_s = _SHORT_TICK_S
        self._selector = selectors.DefaultSelector()
        theirs_in, self._stdin = os.pipe()
        self._stdout, theirs_out = os.pipe()
        self._stderr, theirs_err = os.pipe()
        self._open = {self._stdin, self._stdout, self._stderr}
        try:
            self._process = start(command, stdin=theirs_in, stdout=theirs_out, stderr=theirs_err, cwd=None, env=env)
        except BaseException:
            self.close()
            raise
        finally:
            for number in (theirs_in, theirs_out, theirs_err):
                os.close(number)
        os.set_blocking(self._stdin, False)
        for number in (self._stdout, self._stderr):
            self._selector.register(number, selectors.EVENT_READ)
        self._watch_end()

    @property
    def pid(self) -> int:
        """Its process id, which is that of its group too."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status, negative for the signal that ended it; None while it runs."""
        return self._process.poll()

    @property
    def told_all(self) -> bool:
        """Whether nothing more can come from its stdout."""
        return self._stdout not in self._open

    def write(self, data: bytes) -> None:
        """Writes to stdin, now or as soon as the worker reads."""
        if self._stdin in self._open:
            self._unsent += data
            self._flush()

    def end_input(self) -> None:
        """Closes stdin once all is written."""
        self._closes_stdin = True
        self._flush()

    def close_output(self) -> None:
        """Goes away as a reader does."""
        self._forget(self._stdout)

    def read_nothing(self) -> None:
        """Leaves what it writes in the pipe."""
        if self._stdout in self._selector.get_map():
            self._selector.unregister(self._stdout)

    def read_again(self) -> None:
        """Reads on."""
        if self._stdout in self._open:
            self._selector.register(self._stdout, selectors.EVENT_READ)

    def signal(self, number: int) -> None:
        """Sends a signal to the process alone, as its parent does."""
        if self.status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def pump(self, timeout_s: float) -> None:
        """Waits until something happens, and takes what has come."""
        for key, _ in self._selector.select(max(0.0, min(timeout_s, self._tick_s))):
            if key.fd == self._stdin:
                self._flush()
            elif key.fd in (self._stdout, self._stderr):
                self._read(key.fd)
            else:
                self._forget(key.fd)  # its end
        if self.ended_at is None and self.status is not None:
            self.ended_at = time.monotonic()

    def kill(self) -> None:
        """Ends the process and its group for good."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        if self.status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_DYING_S)

    def close(self) -> None:
        """Leaves nothing open."""
        for number in tuple(self._open):
            self._forget(number)
        self._selector.close()

    def _watch_end(self) -> None:
        with suppress(AttributeError, OSError):  # else a tick finds it out
            end = os.pidfd_open(self.pid)
            self._open.add(end)
            self._selector.register(end, selectors.EVENT_READ)
            self._tick_s = _TICK_S

    def _read(self, number: int) -> None:
        chunk = os.read(number, _CHUNK)
        if not chunk:
            self._forget(number)
        elif number == self._stdout:
            self.lines.push(chunk)
        else:
            self.stderr.push(chunk)

    def _flush(self) -> None:
        if self._stdin not in self._open:
            return
        waits = self._stdin in self._selector.get_map()
        try:
            while self._unsent:
                del self._unsent[: os.write(self._stdin, self._unsent[:_CHUNK])]
        except BlockingIOError:
            if not waits:
                self._selector.register(self._stdin, selectors.EVENT_WRITE)
            return
        except BrokenPipeError:
            self._closes_stdin = True
        if self._closes_stdin:
            self._forget(self._stdin)
        elif waits:
            self._selector.unregister(self._stdin)

    def _forget(self, number: int) -> None:
        if number in self._open:
            self._open.discard(number)
            if number in self._selector.get_map():
                self._selector.unregister(number)
            os.close(number)
