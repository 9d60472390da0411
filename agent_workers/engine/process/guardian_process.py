"""The guardian's own process: starts the program, reaps, obeys the worker, and cleans up when the worker is gone."""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from agent_workers.engine.process.leftovers import descendants
from agent_workers.engine.process.prctl import adopt_orphans
from agent_workers.engine.process.scratch import lock_of, remove_scratch, sweep

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import NoReturn

    from agent_workers.engine.process.command import Command

END_S = 5
_ORDERLY_S = 3  # the CLI saves the session
_PAUSE_S = 0.002
HELD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD)
"""Signals that wait while the process forks."""


class Word:
    """What the worker tells the guardian, a byte each; the end of the pipe says that the worker is gone."""

    TERMINATE = b"t"
    KILL = b"k"


class Report:
    """What the guardian reports, a line with a number each."""

    STARTED = "started"  # the program's process id
    FAILED = "failed"  # the errno of the start
    ENDED = "ended"  # the program's status, negative for a signal
    KILLED = "killed"


def guard(command: Command, waiting: int, reporting: int, *, scratch: Path, held: Sequence[int]) -> NoReturn:
    """Runs the guardian in a process just forked, with ``HELD`` blocked.

    Args:
        command: The command that starts the program.
        waiting: The descriptor from which the worker's words come.
        reporting: The descriptor to which the reports go.
        scratch: The run's directory for temporary files.
        held: Descriptors that it holds as long as it lives.
    """
    try:
        waking, awake = os.pipe()
        for number in (waking, awake):
            os.set_blocking(number, False)
        for number in HELD:
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(awake, warn_on_full_buffer=False)
        os.setsid()
        adopt_orphans()
        duty = _Duty(command, reporting, scratch, held)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        # A reader of the events waits until the last writer has closed them.
        _close_all_but(waiting, reporting, waking, awake, lock_of(scratch), *held)
        sweep(scratch.parent)
        duty.do(waiting, waking)
    finally:
        os._exit(0)


class _Duty:
    def __init__(self, command: Command, reporting: int, scratch: Path, held: Sequence[int]) -> None:
        self._reporting = reporting
        self._scratch = scratch
        try:
            self._started = command.start(held)  # kept: a Popen that is collected takes the program's status with it
        except OSError as error:
            self._report(Report.FAILED, error.errno or 0)
            raise
        self._program: int | None = self._started.pid
        self._report(Report.STARTED, self._program)

    def do(self, waiting: int, waking: int) -> None:
        """Obeys until the worker is gone, then ends what is left."""
        events = select.poll()
        events.register(waiting, select.POLLIN)
        events.register(waking, select.POLLIN)
        while True:
            events.poll()
            with suppress(BlockingIOError):
                os.read(waking, 1 << 10)
            self._reap()
            if select.select([waiting], [], [], 0)[0]:
                word = os.read(waiting, 1)
                if word == Word.KILL:
                    self._end_all()
                elif word == Word.TERMINATE:
                    self._terminate()
                else:
                    self._end_in_order()
                    return

    def _end_in_order(self) -> None:
        self._terminate()
        last = time.monotonic() + _ORDERLY_S
        while self._program and time.monotonic() < last:
            time.sleep(_PAUSE_S)
            self._reap()
        self._end_all()
        remove_scratch(self._scratch)

    def _end_all(self) -> None:
        if self._program:
            with suppress(OSError):
                os.killpg(self._program, signal.SIGKILL)
        last = time.monotonic() + END_S
        while found := set(descendants(os.getpid())):
            if time.monotonic() > last:
                return
            for pid in found:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(_PAUSE_S)
            self._reap()
        self._report(Report.KILLED, 0)

    def _terminate(self) -> None:
        if self._program:
            os.kill(self._program, signal.SIGTERM)  # its id stays valid until it is reaped

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                if pid == self._program:
                    self._program = None
                    self._report(Report.ENDED, os.waitstatus_to_exitcode(status))

    def _report(self, word: str, number: int) -> None:
        with suppress(OSError):
            os.write(self._reporting, f"{word} {number}\n".encode())


def _close_all_but(*kept: int | None) -> None:
    try:
        opened = [int(name) for name in os.listdir("/dev/fd")]  # noqa: PTH208 half the time of a Path
    except OSError:
        opened = list(range(256))
    for number in opened:
        if number not in kept:
            with suppress(OSError):
                os.close(number)
