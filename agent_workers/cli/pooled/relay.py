"""Copies between the caller and a pool until the run has ended."""

from __future__ import annotations

import os
import select
import time

from agent_workers.cli.pooled.events import Events
from agent_workers.cli.pooled.signals import told_as
from agent_workers.stdio.unblocked import CLOSED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agent_workers.cli.pooled.connection import Connection
    from agent_workers.cli.pooled.request import Request
    from agent_workers.cli.pooled.show import Show
    from agent_workers.cli.pooled.signals import StopSignals
    from agent_workers.stdio.unblocked import Unblocked

_CHUNK = 1 << 16
_MAX_LINE = 32 << 20
_TELL_S = 0.1  # as in stdio/live.py: what the end may take to be told before a second signal kills
_STUCK_S = 5  # as in run.py: how long a stopped run waits for a reader that takes nothing
EXIT_OUTPUT_CLOSED = 4  # the module errors takes long to import


class Relay:
    """One run between its caller and a pool.

    Args:
        connection: To the pool; the request is pending there.
        out: Takes what is written to stdout.
        show: Makes that of the lines of events.
        signals: Stop the run.
        request: Has been read.
        control: Whether stdin goes on with control messages.
    """

    def __init__(
        self,
        connection: Connection,
        out: Unblocked,
        show: Show,
        signals: StopSignals,
        request: Request,
        *,
        control: bool,
    ) -> None:
        self._pool = connection
        self._out = out
        self._show = show
        self._signals = signals
        self._request = request
        self._events = Events()
        self._exit: int | None = None
        self._line = bytearray()  # begun on stdin
        self._control = self._input_open = control
        self._output_open = True
        self._is_stopped = False  # by a signal
        self._killed_by = 0  # a second one
        self._kill_at = 0.0
        self._stuck_at: float | None = None
        if control:
            self._take_input(request.rest)
            if request.ended:
                self._end_input()

    def run(self) -> int:
        """Copies to the end of the run; returns the exit status."""
        self._pool.flush()
        while True:
            for fd, flags in self._waiting().poll(self._patience_ms()):
                self._serve(fd, flags)
            self._show.catch_up()
            self._write()
            if (status := self._status()) is not None:
                self._pool.close()
                return status

    def _waiting(self) -> select.poll:
        waiting = select.poll()
        waiting.register(self._signals.fd, select.POLLIN)
        if self._output_open:
            waiting.register(self._out.fd, select.POLLOUT if self._out.pending else 0)
        reading = select.POLLIN if self._exit is None and not self._out.pending else 0  # a slow reader slows the run
        sending = select.POLLOUT if self._pool.pending else 0
        if reading or sending:
            waiting.register(self._pool.fd, reading | sending)
        if self._input_open and not sending:
            waiting.register(0, select.POLLIN)
        return waiting

    def _patience_ms(self) -> float | None:
        times = [self._show.behind_until, self._stuck_at, self._kill_at if self._killed_by else None]
        ahead = [at - time.monotonic() for at in times if at is not None]
        return max(0.0, min(ahead)) * 1000 if ahead else None

    def _serve(self, fd: int, flags: int) -> None:
        if fd == self._signals.fd:
            for number in self._signals.received():
                self._stop(number)
        elif fd == self._out.fd:
            if flags & CLOSED:
                self._lose_output()
        elif fd == self._pool.fd:
            if self._pool.pending:
                self._pool.flush()
            if self._exit is None and not self._out.pending:
                self._receive()
        elif fd == 0:
            self._read_input()

    # From the pool

    def _receive(self) -> None:
        chunk = self._pool.receive()
        if chunk is None:
            return
        if lines := self._events.take(chunk):
            self._show.take(lines)
        self._exit = self._events.exit_status
        if self._exit is None and (not chunk or self._events.is_too_long):
            from agent_workers.cli.pooled.ending import ending

            line, self._exit = ending(self._events.last, self._request.data)
            if line:
                self._show.tell("worker_lost: the pool closed the connection before the end of the run")
                self._show.take(line)

    def _write(self) -> None:
        if not self._output_open:
            self._out.pending.clear()
        try:
            while self._out.pending and self._out.write_some():
                self._stuck_at = None
        except OSError:
            self._lose_output()
        if not self._out.pending:
            self._stuck_at = None
        elif self._stuck_at is None and (self._is_stopped or self._input_open != self._control):
            self._stuck_at = time.monotonic() + _STUCK_S

    def _lose_output(self) -> None:
        is_told = not self._out.pending and (self._exit is not None or self._events.has_ended)
        self._output_open = False
        self._out.pending.clear()
        if not is_told:
            self._exit = EXIT_OUTPUT_CLOSED

    # From the caller

    def _read_input(self) -> None:
        try:
            chunk = os.read(0, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""  # lost is as good as closed
        if chunk:
            self._take_input(chunk)
        else:
            self._end_input()
        self._pool.flush()

    def _take_input(self, chunk: bytes) -> None:
        """Passes whole lines on, so that a signal can be told between two of them."""
        end = chunk.rfind(b"\n") + 1
        if end or len(self._line) > _MAX_LINE:
            end = end or len(chunk)
            self._pool.send(bytes(self._line) + chunk[:end])
            self._line.clear()
        self._line += chunk[end:]

    def _end_input(self) -> None:
        self._input_open = False
        if self._line:
            self._take_input(b"\n")
        self._pool.end()

    def _stop(self, number: int) -> None:
        if self._is_stopped:
            self._killed_by = self._killed_by or number
            return
        self._is_stopped = True
        self._kill_at = time.monotonic() + _TELL_S
        self._pool.send(told_as(number))
        self._pool.flush()

    # The end

    def _status(self) -> int | None:
        now = time.monotonic()
        if self._killed_by and (now >= self._kill_at or (not self._out.pending and self._events.has_ended)):
            return 128 + self._killed_by
        if self._stuck_at is not None and now >= self._stuck_at:
            return EXIT_OUTPUT_CLOSED
        return self._exit if not self._out.pending else None
