"""A worker's process. It never waits: whoever runs it waits for ``fileno``, blocking or in an event loop."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
from contextlib import ExitStack, suppress
from io import FileIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

_CHUNK = 1 << 16
_DYING_S = 2
_PIPES = ((False, True), (True, False), (True, False))  # which end is ours: of stdin, stdout and stderr
_STDERR_KEPT = 1 << 16  # bytes of its end: for operators


class WorkerProcess:
    """A worker that is given lines on stdin and whose stdout comes in chunks.

    It leads a session of its own, so that Ctrl-C at the terminal reaches it by its caller alone. Its stdin stays open:
    the end of it tells the worker that its caller is gone.

    Args:
        command: The program and its arguments.
        cwd: Its working directory; None for the caller's.
        env: Its environment; None for the caller's.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self, command: Sequence[str], cwd: Path | str | None, env: Mapping[str, str] | None) -> None:
        with ExitStack() as if_it_fails, ExitStack() as its_ends:
            # Before the process, which nobody would end if this failed. Popen's own pipes would stay open then.
            self._selector = if_it_fails.enter_context(selectors.DefaultSelector())
            ends = [_pipe(if_it_fails if is_ours else its_ends for is_ours in order) for order in _PIPES]
            (theirs_in, self._stdin), (stdout, theirs_out), (stderr, theirs_err) = ends
            self._popen = subprocess.Popen(
                command,
                stdin=theirs_in,
                stdout=theirs_out,
                stderr=theirs_err,
                cwd=cwd,
                env=env,
                start_new_session=True,
            )
            if_it_fails.pop_all()
        self._streams = {stream.fileno(): stream for stream in (stdout, stderr)}
        self._stdout = stdout.fileno()
        self._stderr = bytearray()
        for stream in (self._stdin, *self._streams.values()):
            os.set_blocking(stream.fileno(), False)
        for stream in self._streams.values():
            self._selector.register(stream, selectors.EVENT_READ)
        self._end = _end_of(self._popen.pid)
        if self._end is not None:
            self._selector.register(self._end, selectors.EVENT_READ)
        self._wake: int | None = None
        self._is_closed = False
        self._unsent = bytearray()
        self._lock = threading.Lock()  # any thread may send and wake

    @property
    def status(self) -> int | None:
        """The exit status, negative for the signal that killed it; None while it runs."""
        return self._popen.poll()

    @property
    def stderr(self) -> str:
        """The end of what it has written to stderr."""
        return self._stderr.decode("utf-8", "replace")

    @property
    def tells_its_end(self) -> bool:
        """Whether ``fileno`` tells the end of the process too, and not only of its output."""
        return self._end is not None

    @property
    def has_output(self) -> bool:
        """Whether stdout is still open, as far as it was read."""
        return self._stdout in self._streams

    def fileno(self) -> int:
        """Returns a descriptor that is readable as soon as ``take`` has something to do."""
        return self._selector.fileno()

    async def ready(self) -> None:
        """Waits in an event loop until ``take`` has something to do."""
        from anyio import wait_readable  # who waits in a loop has it

        await wait_readable(self.fileno())

    def wait(self, timeout_s: float | None) -> None:
        """Waits until ``take`` has something to do."""
        self._selector.select(timeout_s)

    def send(self, line: bytes) -> bool:
        """Writes a line, now or as soon as the worker reads; says whether it is still there."""
        with self._lock:
            if self._stdin.closed:
                return False
            self._unsent += line
            self._write()
            return not self._stdin.closed

    def take(self) -> list[bytes]:
        """Does what can be done at once; returns what the worker has written to stdout."""
        chunks = []
        for key, _ in self._selector.select(0):
            if key.fd == self._stdin_number:
                with self._lock:
                    self._write()
            elif key.fd == self._end:
                self._selector.unregister(key.fd)
            elif key.fd == self._wake:
                with self._lock:
                    self._sleep()
            elif key.fd in self._streams and (chunk := self._read(key.fd)):
                if key.fd == self._stdout:
                    chunks.append(chunk)
                else:
                    self._stderr += chunk
                    del self._stderr[:-_STDERR_KEPT]
        return chunks

    def wake(self) -> None:
        """Ends a ``wait`` at once, and makes ``fileno`` readable. Any thread may do that."""
        with self._lock:
            if self._is_closed or self._wake is not None:
                return
            with suppress(OSError):  # no descriptor is left: then what waits ends at its time
                self._wake, other = os.pipe()
                os.close(other)  # so that this end is readable
                self._selector.register(self._wake, selectors.EVENT_READ)

    def _sleep(self) -> None:
        if self._wake is not None:
            self._selector.unregister(self._wake)
            os.close(self._wake)
            self._wake = None

    def end_input(self) -> None:
        """Closes stdin."""
        with self._lock:
            self._close_stdin()

    def signal(self, number: int) -> None:
        """Sends a signal, if it still runs."""
        with suppress(ProcessLookupError):
            self._popen.send_signal(number)

    def close(self) -> None:
        """Leaves nothing open; a worker that still runs is killed."""
        if self._popen.poll() is None:
            self.signal(signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):  # not even SIGKILL ends one that waits for a dead disk
                self._popen.wait(_DYING_S)
        self.end_input()
        with self._lock:
            self._sleep()
            self._is_closed = True
            self._selector.close()
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()
        if self._end is not None:
            os.close(self._end)
            self._end = None

    @property
    def _stdin_number(self) -> int:
        return -1 if self._stdin.closed else self._stdin.fileno()

    def _read(self, number: int) -> bytes:
        stream = self._streams[number]
        try:
            chunk = os.read(number, _CHUNK)
        except BlockingIOError:
            return b""
        if not chunk:
            self._selector.unregister(stream)
            del self._streams[number]
            stream.close()
        return chunk

    def _write(self) -> None:
        if self._stdin.closed:  # by another thread, meanwhile
            return
        try:
            while self._unsent:
                del self._unsent[: os.write(self._stdin.fileno(), self._unsent[:_CHUNK])]
        except BlockingIOError:
            if self._stdin_number not in self._selector.get_map():
                self._selector.register(self._stdin, selectors.EVENT_WRITE)
        except BrokenPipeError:
            self._close_stdin()
        else:
            if self._stdin_number in self._selector.get_map():
                self._selector.unregister(self._stdin)

    def _close_stdin(self) -> None:
        if not self._stdin.closed:
            if self._stdin_number in self._selector.get_map():
                self._selector.unregister(self._stdin)
            self._unsent.clear()
            self._stdin.close()


def _pipe(owners: Iterable[ExitStack]) -> list[FileIO]:
    """Opens a pipe, the end to read first; each end is closed with its owner."""
    numbers = os.pipe()
    ends = zip(numbers, ("rb", "wb"), owners, strict=True)
    return [owner.enter_context(FileIO(number, mode)) for number, mode, owner in ends]


def _end_of(pid: int) -> int | None:
    """Opens what tells the end of a process; None where the system has no such thing."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None
