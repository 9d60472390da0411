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
        control: Whether control messages follow the request, which is then the first line.

    Attributes:
        data: The request, or as much of it as tells that it is too large.
        rest: What has come behind it.
        ended: Whether stdin has ended.
        whole: Whether the request is there.
    """

    def __init__(self, *, control: bool) -> None:
        self.data = b""
        self.rest = b""
        self.ended = False
        self.whole = False
        self._control = control
        self._chunks: list[bytes] = []
        self._size = 0

    @property
    def is_too_large(self) -> bool:
        """Whether there is more of it than any pool takes."""
        return len(self.data) > MAX_REQUEST

    def read(self, signals: StopSignals, program: str) -> None:
        """Reads until the request is whole or too large, or for as long as a controlled run waits for it.

        Raises:
            Stopped: A stop signal has come.
            OSError: Stdin cannot be read.
        """
        waiting = select.poll()
        waiting.register(0, select.POLLIN)
        waiting.register(signals.fd, select.POLLIN)
        is_terminal = os.isatty(0)
        hint_after_s = 0.0 if is_terminal else _HINT_AFTER_S
        until = time.monotonic() + _FIRST_LINE_S
        while not self.whole:
            ready = dict(waiting.poll(_wait_ms(hint_after_s, self._control and not is_terminal, until)))
            if signals.fd in ready:
                raise Stopped
            if 0 in ready:
                self._take()
            elif hint_after_s < _FIRST_LINE_S:
                _hint(program, control=self._control)
                hint_after_s = float("inf")
            elif time.monotonic() >= until:
                break  # and the pool says why
        self._finish()

    def _take(self) -> None:
        try:
            chunk = os.read(0, _CHUNK)
        except BlockingIOError:  # whoever shares the other end has switched it to non-blocking
            return
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


def _wait_ms(hint_after_s: float, is_bounded: bool, until: float) -> float | None:
    if hint_after_s < _FIRST_LINE_S:
        return hint_after_s * 1000
    return max(0.0, until - time.monotonic()) * 1000 if is_bounded else None


def _hint(program: str, *, control: bool) -> None:
    from agent_workers.stdio.stderr import say  # nobody is in a hurry any more

    awaited = (
        "a JSON request on one line" if control else "a JSON request, then the end of stdin (Ctrl-D on a terminal)"
    )
    say(f"{program}: waiting for {awaited}; --help shows examples")
