"""A process under a guardian: started without delay, written and read without blocking, stopped without leftovers."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack, suppress
from typing import IO, TYPE_CHECKING

from agent_workers.engine.process.command import Command
from agent_workers.engine.process.guardian import Guardian
from agent_workers.engine.process.leftovers import MARK, Orphans, end_leftovers
from agent_workers.engine.process.scratch import remove_scratch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class GuardedProcess:
    """A running process with pipes on all three standard streams.

    Args:
        argv: The command.
        environ: All of its environment variables.
        cwd: Its working directory.
        scratch: The run's directory for temporary files; removed with the process.
        secrets: What it reads from descriptors, by the variables that will hold the descriptors' numbers.
        orphans: Reaps what its commands leave behind.
        confined: Whether it and its commands may reach only processes of their own.
        lock: A descriptor that it and its guardian hold as long as they live.

    Attributes:
        orphans: Reaps what its commands leave behind.

    Raises:
        OSError: It could not be started.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        environ: Mapping[str, str],
        cwd: Path,
        scratch: Path,
        secrets: Mapping[str, bytes] | None = None,
        orphans: Orphans | None = None,
        confined: bool = False,
        lock: int | None = None,
    ) -> None:
        self._scratch = scratch
        self.orphans = orphans
        self._start(argv, environ, cwd, secrets or {}, () if lock is None else (lock,), confined=confined)
        if orphans:
            orphans.know(self._guardian.pid)

    def _start(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str],
        cwd: Path,
        secrets: Mapping[str, bytes],
        held: Sequence[int],
        *,
        confined: bool,
    ) -> None:
        with ExitStack() as ours, ExitStack() as theirs:
            descriptors = {name: _readable(secret, theirs) for name, secret in secrets.items()}
            numbers = {name: str(number) for name, number in descriptors.items()}
            (stdin, self.stdin), (stdout, self.stdout) = _to_child(ours, theirs), _from_child(ours, theirs)
            stderr, self.stderr = _from_child(ours, theirs)
            command = Command(
                argv,
                {**environ, **numbers, MARK: str(self._scratch)},
                cwd,
                streams=(stdin, stdout, stderr),
                descriptors=tuple(descriptors.values()),
                confined=confined,
            )
            self._guardian = Guardian(command, scratch=self._scratch, held=held)
            ours.pop_all()  # from here on they stay open

    @property
    def pid(self) -> int:
        """Its process id, also of its process group."""
        return self._guardian.program

    def wait(self) -> int:
        """Blocks until it has ended; returns its exit status, negative for a signal."""
        return self._guardian.wait()

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._guardian.status is not None

    def write_now(self, data: bytes) -> bytes:
        """Writes what the pipe takes without waiting; returns the rest."""
        written = 0
        with suppress(BlockingIOError, BrokenPipeError):
            while written < len(data):
                written += os.write(self.stdin.fileno(), data[written:])
        return data[written:]

    def close_stdin(self) -> None:
        """Tells it that nothing follows."""
        self.stdin.close()

    def terminate(self) -> None:
        """Asks it to end."""
        self._guardian.terminate()

    def begin_kill(self) -> None:
        """Has it ended without waiting for it, as a signal handler may; ``kill`` must follow."""
        self._guardian.begin_kill()

    def kill(self) -> None:
        """Ends it and everything that it started, at once."""
        if self._guardian.kill():
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        end_leftovers(self._scratch, spare={self._guardian.pid}, orphans=self.orphans)

    def remove_scratch(self) -> None:
        """Removes the run's temporary files."""
        self._guardian.dismiss()
        remove_scratch(self._scratch)


def _to_child(ours: ExitStack, theirs: ExitStack) -> tuple[int, IO[bytes]]:
    """Opens a pipe to the process; returns its descriptor and this process's end, unbuffered and never blocking."""
    reading, writing = _pipe(theirs)
    os.set_blocking(writing, False)
    return reading, ours.enter_context(open(writing, "wb", buffering=0))  # noqa: PTH123 it has no path


def _from_child(ours: ExitStack, theirs: ExitStack) -> tuple[int, IO[bytes]]:
    """Opens a pipe from the process; returns its descriptor and this process's end, likewise."""
    reading, writing = os.pipe()
    theirs.callback(os.close, writing)
    os.set_blocking(reading, False)
    return writing, ours.enter_context(open(reading, "rb", buffering=0))  # noqa: PTH123 likewise


def _readable(secret: bytes, theirs: ExitStack) -> int:
    """Returns a descriptor from which a few bytes can be read."""
    reading, writing = _pipe(theirs)
    with open(writing, "wb") as pipe:  # noqa: PTH123 likewise
        pipe.write(secret)
    return reading


def _pipe(theirs: ExitStack) -> tuple[int, int]:
    reading, writing = os.pipe()
    theirs.callback(os.close, reading)
    return reading, writing
