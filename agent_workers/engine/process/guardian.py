"""The guardian: a process between worker and program that ends everything that came of it when the worker is killed.

Whatever a command starts remains a descendant of the guardian: orphans become its children, whatever environment,
session or name they take. It cannot reach what other programs start on a command's behalf (``at``, ``docker``,
``systemd-run``), nor processes without the run's mark once a command has killed both worker and guardian.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from agent_workers.engine.process.guardian_process import END_S, HELD, Report, Word, guard

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from agent_workers.engine.process.command import Command

_SLICE_S = 0.1


class Guardian:
    """Starts the program. Must be created before there are threads.

    Args:
        command: The command that starts the program.
        scratch: The run's directory for temporary files.
        held: Descriptors that the program and the guardian hold as long as they live.

    Attributes:
        pid: The guardian's process id.
        program: The program's process id.

    Raises:
        OSError: The program could not be started.
    """

    def __init__(self, command: Command, *, scratch: Path, held: Sequence[int]) -> None:
        self.program = 0
        self._status: int | None = None
        self._killed = False
        self._failure = 0
        self._lost = False
        self._heard = b""
        self._hearing = threading.Lock()
        waiting, self._alive = os.pipe()
        try:
            self._reports, reporting = os.pipe()
        except OSError:
            os.close(waiting)
            os.close(self._alive)
            raise
        os.set_blocking(self._reports, False)
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, HELD)  # no handler of this process may run in the guardian
        try:
            self.pid = os.fork()
            if self.pid == 0:
                guard(command, waiting, reporting, scratch=scratch, held=held)
        except OSError:
            self._close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)
            os.close(waiting)
            os.close(reporting)
        self._await(lambda: bool(self.program))
        if not self.program:
            self.dismiss()
            raise OSError(self._failure or errno.EAGAIN, os.strerror(self._failure or errno.EAGAIN))

    @property
    def status(self) -> int | None:
        """The program's exit status, negative for a signal; None while it runs."""
        self._hear()
        return self._status

    def wait(self) -> int:
        """Blocks until the program has ended; returns its status."""
        self._await(lambda: self._status is not None)
        assert self._status is not None
        return self._status

    def terminate(self) -> None:
        """Asks the program to end."""
        self._say(Word.TERMINATE)

    def begin_kill(self) -> None:
        """Has the program and everything that came of it ended, without waiting: a signal handler may call it."""
        self._say(Word.KILL)

    def kill(self) -> bool:
        """Ends the program and all that came of it; False where the guardian is gone or did not manage in time."""
        self._say(Word.KILL)
        self._await(lambda: self._killed, time.monotonic() + END_S)
        return self._killed

    def dismiss(self) -> None:
        """Ends the guardian, which has nothing left to do."""
        if self.pid:
            with suppress(OSError):
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            self.pid = 0
            self._close()

    def _close(self) -> None:
        os.close(self._alive)
        os.close(self._reports)

    def _say(self, word: bytes) -> None:
        if self.pid:
            with suppress(OSError):
                os.write(self._alive, word)

    def _await(self, met: Callable[[], bool], deadline: float = float("inf")) -> None:
        """Waits until a condition is met, can no longer be met, or the deadline has passed."""
        reports = select.poll()
        reports.register(self._reports, select.POLLIN)
        while self.pid and not self._lost and not met() and time.monotonic() < deadline:
            reports.poll(_SLICE_S * 1000)  # another thread may have read the report
            self._hear()

    def _hear(self) -> None:
        with self._hearing, suppress(BlockingIOError):
            while self.pid and not self._lost:
                data = os.read(self._reports, 1 << 12)
                if not data:
                    self._lose()
                    return
                *lines, self._heard = (self._heard + data).split(b"\n")
                for line in lines:
                    word, number = line.decode().split()
                    self._note(word, int(number))

    def _note(self, word: str, number: int) -> None:
        if word == Report.STARTED:
            self.program = number
        elif word == Report.FAILED:
            self._failure = number
        elif word == Report.ENDED:
            self._status = number
        elif word == Report.KILLED:
            self._killed = True

    def _lose(self) -> None:
        """Notes that the guardian is gone: it was killed, and the kernel ended the program with it."""
        self._lost = True
        if self._status is None:
            self._status = -signal.SIGKILL
