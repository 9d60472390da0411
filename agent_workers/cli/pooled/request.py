"""The request on stdin, read before a pool is told anything."""

from __future__ import annotations

import os
import select
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agent_workers.cli.pooled.signals import StopSignals

MAX_REQUEST = 32 << 20  # as in stdio/stdin.py
_CHUNK = 1 << 16
_HINT_AFTER_S = 10
_FIRST_LINE_S = 30  # likewise; the pool counts as long


class Stopped(Exception):
    """Raised when a stop signal comes before the request."""


class Request:
    """What stdin holds.

    Args:
        signals: Stop the run.
        control: Whether control messages follow the request, which is then the first line.

    Attributes:
        data: The request, or as much of it as tells that it is too large.
        rest: What has come behind it.
        ended: Whether stdin has ended.
        whole: Whether the request is there.
    """

    def __init__(self, signals: StopSignals, *, control: bool) -> None:
        self.data = b""
        self.rest = b""
        self.ended = False
        self.whole = False
        self._signals = signals
        self._control = control
        self._is_terminal = os.isatty(0)
        self._waiting = select.poll()
        self._waiting.register(0, select.POLLIN)
        self._waiting.register(signals.fd, select.POLLIN)
        self._ahead = b""
        self._chunks: list[bytes] = []
        self._size = 0

    @property
    def is_too_large(self) -> bool:
        """Whether there is more of it than any pool takes."""
        return len(self.data) > MAX_REQUEST

    def read_line(self, most: int, within_s: float) -> bytes | None:
        """Reads a line that stands before the request, as ``Stdin.read_line`` does.

        Raises:
            Stopped: A stop signal has come.
            OSError: Stdin cannot be read.
        """
        until = time.monotonic() + within_s
        while b"\n" not in self._ahead and len(self._ahead) <= most:
            if not self._is_ready(None if self._is_terminal else until - time.monotonic()):
                return None
            chunk = self._read()
            self._ahead += chunk or b""
            if chunk == b"":
                break
        line, _, self._ahead = self._ahead.partition(b"\n")
        return line

    def read(self, program: str) -> None:
        """Reads until the request is whole or too large, or for as long as a controlled run waits for it.

        Args:
            program: The worker's name, for a hint on stderr.

        Raises:
            Stopped: A stop signal has come.
            OSError: Stdin cannot be read.
        """
        if self._ahead:
            self._add(self._ahead)
        until = time.monotonic() + _FIRST_LINE_S if self._control and not self._is_terminal else None
        hint_at: float | None = time.monotonic() + (0 if self._is_terminal else _HINT_AFTER_S)
        while not self.whole:
            at = until if hint_at is None else hint_at
            if self._is_ready(None if at is None else at - time.monotonic()):
                chunk = self._read()
                if chunk is not None:
                    self._add(chunk)
            elif hint_at is not None:
                if not self._chunks:
                    _hint(program, control=self._control)
                hint_at = None
            else:
                break  # and the pool says why
        self._finish()

    def _is_ready(self, within_s: float | None) -> bool:
        ready = dict(self._waiting.poll(None if within_s is None else max(0.0, within_s) * 1000))
        if self._signals.fd in ready:
            raise Stopped
        return bool(ready)

    def _read(self) -> bytes | None:
        try:
            return os.read(0, _CHUNK)
        except BlockingIOError:  # whoever shares the other end has switched it to non-blocking
            return None

    def _add(self, chunk: bytes) -> None:
        self.ended = not chunk
        self._chunks.append(chunk)
        self._size += len(chunk)
        self.whole = self.ended or self._size > MAX_REQUEST or (self._control and self._has_line(chunk))

    def _has_line(self, chunk: bytes) -> bool:
        """Whether the first line that is not blank has ended; drops those before it."""
        if b"\n" not in chunk:
            return False
        taken = b"".join(self._chunks).lstrip()
        self._chunks, self._size = [taken], len(taken)
        return b"\n" in taken

    def _finish(self) -> None:
        self.data = b"".join(self._chunks)
        self._chunks = []
        if self._control:
            line, _, self.rest = self.data.partition(b"\n")
            self.data = line.strip()


def _hint(program: str, *, control: bool) -> None:
    from agent_workers.stdio.stderr import say  # nobody is in a hurry any more

    awaited = (
        "a JSON request on one line" if control else "a JSON request, then the end of stdin (Ctrl-D on a terminal)"
    )
    say(f"{program}: waiting for {awaited}; --help shows examples")
