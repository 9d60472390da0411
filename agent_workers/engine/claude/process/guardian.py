"""The CLI's guardian: a process between this one and the CLI, which ends all that comes of it when this one is killed.

Whatever a command starts remains a descendant of the guardian: an orphan falls to it, whatever environment, session or
name it has taken. Beyond its reach is what other programs start on a command's behalf (``at``, ``docker``,
``systemd-run``), and what has shed the run's mark when a command kills both the worker and the guardian.
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

from agent_workers.engine.claude.process.guardian_process import END_S, HELD, Report, Word, guard

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from agent_workers.engine.claude.process.command import Command

_SLICE_S = 0.1


class Guardian:
    """Starts the CLI; to be made before there are threads.

    Args:
        command: The CLI's.
        scratch: The run's directory for temporary files.
        held: Descriptors that both the CLI and the guardian are to hold as long as they live.

    Attributes:
        pid: The guardian's process id.
        cli: The CLI's process id.

    Raises:
        OSError: The CLI could not be started.
    """

    def __init__(self, command: Command, *, scratch: Path, held: Sequence[int]) -> None:
        self.cli = 0
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
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, HELD)  # no handler of this process may run in that one
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
        self._await(lambda: bool(self.cli))
        if not self.cli:
            self.dismiss()
            raise OSError(self._failure or errno.EAGAIN, os.strerror(self._failure or errno.EAGAIN))

    @property
    def status(self) -> int | None:
        """How the CLI has ended, negative for a signal; None while it runs."""
        self._hear()
        return self._status

    def wait(self) -> int:
        """Blocks until the CLI has ended; its status."""
        self._await(lambda: self._status is not None)
        assert self._status is not None
        return self._status

    def terminate(self) -> None:
        """Asks the CLI to end."""
        self._say(Word.TERMINATE)

    def kill(self) -> bool:
        """Ends the CLI and all that has come of it; False where the guardian is no more, or has not managed."""
        self._say(Word.KILL)
        self._await(lambda: self._killed, time.monotonic() + END_S)
        return self._killed

    def dismiss(self) -> None:
        """Ends the guardian: all is done."""
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
        """Returns when something is so, when it cannot become so any more, or at the deadline."""
        reports = select.poll()
        reports.register(self._reports, select.POLLIN)
        while self.pid and not self._lost and not met() and time.monotonic() < deadline:
            reports.poll(_SLICE_S * 1000)  # another thread may have taken what came
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
            self.cli = number
        elif word == Report.FAILED:
            self._failure = number
        elif word == Report.ENDED:
            self._status = number
        elif word == Report.KILLED:
            self._killed = True

    def _lose(self) -> None:
        """The guardian is no more: somebody has killed it, and the kernel the CLI with it."""
        self._lost = True
        if self._status is None:
            self._status = -signal.SIGKILL
