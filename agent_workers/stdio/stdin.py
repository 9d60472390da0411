"""Standard input: the request, and with ``--control`` the messages after it."""

import os
import select
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from agent_workers.protocol.v1.problem import refuse
from agent_workers.stdio.stderr import say
from agent_workers.wire import LineFramer, LineTooLong

MAX_REQUEST = 32 << 20  # bytes; the Messages API takes requests of up to 32 MB
_CHUNK = 1 << 16
_EARLY = 100  # lines and chunks; a flood must not keep the run from beginning
_HINT_AFTER_S = 10
FIRST_LINE_S = 30
"""Seconds that a controlled run waits for its request: a caller that has died or forgot it would keep it for ever."""
_DRAIN_BYTES = 256 << 20


class Stdin:
    """The process's stdin, unbuffered.

    Args:
        name: The worker's name, for hints on stderr.
        ahead: What has been read of it already.

    Attributes:
        max_request: Bytes that the request may have.
    """

    def __init__(self, name: str, ahead: bytes = b"") -> None:
        self._name = name
        self.max_request = MAX_REQUEST
        self._framer = LineFramer(MAX_REQUEST)
        self._lines: deque[bytes] = deque()
        self._ended = False
        self._ahead = ahead

    def read_line(self, most: int, within_s: float) -> bytes | None:
        """Reads a line that stands before the request; None where it has not come in time.

        Args:
            most: Bytes that it may have. Of a longer one this much and a little more is returned.
            within_s: Seconds that it may take; nobody is hurried at a terminal.
        """
        until = time.monotonic() + within_s
        while b"\n" not in self._ahead and len(self._ahead) <= most:
            if not os.isatty(0) and not select.select([0], [], [], max(0, until - time.monotonic()))[0]:
                return None
            chunk = _read()
            self._ahead += chunk
            if not chunk:
                break
        line, _, self._ahead = self._ahead.partition(b"\n")
        return line

    def read_document(self) -> bytes:
        """Reads to the end of stdin.

        Raises:
            RequestProblems: It is longer than ``max_request``.
        """
        self._hint("a JSON request, then the end of stdin (Ctrl-D on a terminal)")
        chunks: list[bytes] = []
        size = 0
        while chunk := self._next():
            chunks.append(chunk)
            size += len(chunk)
            if size > self.max_request:
                refuse(self._too_large())
        self._ended = True
        return b"".join(chunks)

    def read_first_line(self) -> bytes:
        """Reads the request of a controlled run; what follows it is kept for ``control_lines``.

        Raises:
            RequestProblems: The line is longer than ``max_request``, or has not come within ``FIRST_LINE_S``.
        """
        until = time.monotonic() + FIRST_LINE_S
        size = 0
        self._framer = LineFramer(max(MAX_REQUEST, self.max_request))
        self._hint("a JSON request on one line")
        while not self._ended:
            waits = not self._ahead and not os.isatty(0)
            if waits and not select.select([0], [], [], max(0, until - time.monotonic()))[0]:
                refuse(f"no request came within {FIRST_LINE_S} seconds: with --control it is the first line of stdin")
            chunk = self._next()
            try:
                self._take(chunk)
            except LineTooLong:
                refuse(self._too_large())
            while self._lines:
                if line := self._lines.popleft().strip():
                    if len(line) > self.max_request:
                        refuse(self._too_large())
                    return line
            size += len(chunk)
            if size > self.max_request:
                refuse(self._too_large())
        return b""

    async def control_lines(self, on_wait: Callable[[], None]) -> AsyncIterator[bytes | None]:
        """Yields the lines after the request until stdin ends; None for one that was too long to read.

        Args:
            on_wait: Called whenever all that had been written was yielded, and from a bound on without that.
        """
        early = _EARLY
        while True:
            while self._lines:
                yield self._lines.popleft()
                early -= 1
                if early < 0:
                    on_wait()
            if self._ended:
                return
            early -= 1
            if early < 0 or not select.select([0], [], [], 0)[0]:
                on_wait()
            chunk = await _read_when_ready()
            try:
                self._take(chunk)
            except LineTooLong:
                self._framer = _Skipper(MAX_REQUEST)
                self._take(chunk)
                yield None

    def drain(self, *, patience_s: float) -> None:
        """Reads on for a moment after a refusal, so that a caller still writing meets no broken pipe.

        Args:
            patience_s: Seconds of silence after which the caller is taken to have written all.
        """
        taken = 0
        while not self._ended and taken < _DRAIN_BYTES and select.select([0], [], [], patience_s)[0]:
            try:
                size = len(os.read(0, _CHUNK))
            except BlockingIOError:
                continue
            except OSError:  # it will not become readable, as under nohup
                return
            taken += size
            self._ended = size == 0

    def _next(self) -> bytes:
        """Returns what was read behind the line before the request, else reads on."""
        ahead, self._ahead = self._ahead, b""
        return ahead or _read()

    def _take(self, chunk: bytes) -> None:
        if chunk:
            self._lines += self._framer.push(chunk)
        else:
            self._ended = True
            if rest := self._framer.rest():
                self._lines.append(rest)

    def _too_large(self) -> str:
        return f"the request is larger than {self.max_request} bytes"

    def _hint(self, awaited: str) -> None:
        if self._ahead:
            return
        if os.isatty(0) or not select.select([0], [], [], _HINT_AFTER_S)[0]:
            say(f"{self._name}: waiting for {awaited}; --help shows examples")


class _Skipper(LineFramer):
    """Reads on after a line that was too long: forgets up to the next newline."""

    def __init__(self, max_line: int) -> None:
        super().__init__(max_line)
        self._skipping = True

    def push(self, chunk: bytes) -> list[bytes]:
        if self._skipping:
            _, newline, chunk = chunk.partition(b"\n")
            self._skipping = not newline
        return super().push(chunk)


def _read() -> bytes:
    while True:
        try:
            return os.read(0, _CHUNK)
        except BlockingIOError:  # whoever shares the other end has switched it to non-blocking
            select.select([0], [], [])
        except OSError as error:
            refuse(f"stdin cannot be read: {error.strerror}")


async def _read_when_ready() -> bytes:
    from anyio import wait_readable

    while True:
        with suppress(PermissionError):  # a regular file is always ready
            await wait_readable(0)
        try:
            return os.read(0, _CHUNK)
        except BlockingIOError:
            continue
        except OSError:
            return b""  # lost is as good as closed
