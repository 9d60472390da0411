"""A command, and how its process starts: it inherits only what it is given."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from agent_workers.engine.process.confinement import confine
from agent_workers.engine.process.prctl import end_with_parent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_FIXED = {signal.SIGKILL, signal.SIGSTOP}


class Command(NamedTuple):
    """A command to start.

    Attributes:
        argv: The program and its arguments.
        environ: Its whole environment.
        cwd: Its working directory.
        streams: Its ends of the pipes to its standard streams.
        descriptors: Further descriptors that it inherits.
        confined: Whether it is confined, see ``confinement``.
    """

    argv: Sequence[str]
    environ: Mapping[str, str]
    cwd: Path
    streams: Sequence[int]
    descriptors: Sequence[int]
    confined: bool

    def start(self, held: Sequence[int]) -> subprocess.Popen[bytes]:
        """Starts the command in a session of its own: a terminal's Ctrl-C is for the worker.

        Raises:
            OSError: It could not be started.
        """
        stdin, stdout, stderr = self.streams
        parent = os.getpid()
        return subprocess.Popen(
            self.argv,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=self.cwd,
            env=self.environ,
            pass_fds=(*self.descriptors, *held),
            start_new_session=True,
            preexec_fn=lambda: _prepare(parent, confined=self.confined),  # noqa: PLW1509 no threads exist
        )


def _prepare(parent: int, *, confined: bool) -> None:
    """Prepares the process before it becomes the program: it inherits no signals, and ends with the guardian."""
    for number in signal.valid_signals() - _FIXED:
        if signal.getsignal(number) is signal.SIG_IGN:  # exec keeps this, and resets handlers
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    end_with_parent(signal.SIGTERM)
    if os.getppid() != parent:  # the guardian ended before the call above
        os._exit(1)
    if confined:
        confine()
