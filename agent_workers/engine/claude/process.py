"""The CLI as a process: started without delay, fed and read without blocking, stopped without leftovers."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

from agent_workers.errors import CliCrashed, CliMissing

from .confinement import confine
from .environment import remove_scratch
from .kernel import end_with_parent
from .leftovers import Guardian, Orphans, end_leftovers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_NOT_EXECUTABLE = frozenset({errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR, errno.EPERM})
_FIXED = {signal.SIGKILL, signal.SIGSTOP}
_NOT_STARTED = "The Claude CLI could not be started. Try again later."


class CliProcess:
    """A running CLI with pipes on all three standard streams.

    Args:
        argv: The command, its program an absolute path.
        environ: Its whole environment.
        cwd: Its working directory.
        scratch: The run's directory for temporary files; removed with the process.
        secrets: What it reads from a descriptor each, by the variable that is to hold the descriptor's number.
        orphans: Looks after what its commands leave behind.
        confined: Whether it and its commands are to reach no process but their own.
        lock: A descriptor that it, and what looks after its end, is to hold as long as it lives.

    Attributes:
        orphans: As given.

    Raises:
        CliMissing: It cannot be executed.
        CliCrashed: It could not be started now: the host lacks processes, descriptors or memory.
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
        before_exec = _before_exec(confined=confined)
        descriptors = {name: _readable(secret) for name, secret in (secrets or {}).items()}
        held = () if lock is None else (lock,)
        try:
            self._popen = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                cwd=cwd,
                env={**environ, **{name: str(number) for name, number in descriptors.items()}},
                pass_fds=(*descriptors.values(), *held),
                start_new_session=True,  # a terminal's Ctrl-C is for the worker, which stops the CLI in order
                preexec_fn=before_exec,  # noqa: PLW1509 no threads exist yet
            )
        except OSError as error:
            missing = error.errno in _NOT_EXECUTABLE
            cause = f"{argv[0]}: {error.strerror}"
            raise (CliMissing(cause=cause) if missing else CliCrashed(_NOT_STARTED, cause=cause)) from error
        finally:
            for number in descriptors.values():
                os.close(number)
        self._guardian = Guardian(self.pid, scratch, held)
        if orphans:
            orphans.know(self.pid, self._guardian.pid)
        assert self._popen.stdin
        assert self._popen.stdout
        assert self._popen.stderr
        self.stdin, self.stdout, self.stderr = self._popen.stdin, self._popen.stdout, self._popen.stderr
        for stream in (self.stdin, self.stdout, self.stderr):
            os.set_blocking(stream.fileno(), False)

    @property
    def pid(self) -> int:
        """The CLI's process id, also of its process group."""
        return self._popen.pid

    def wait(self) -> int:
        """Blocks until the CLI has ended; its exit status, negative for a signal."""
        return self._popen.wait()

    @property
    def ended(self) -> bool:
        """Whether the CLI has ended and was reaped."""
        return self._popen.poll() is not None

    def write_now(self, data: bytes) -> bytes:
        """Writes what the pipe takes without waiting; returns the rest."""
        written = 0
        with suppress(BlockingIOError, BrokenPipeError):
            while written < len(data):
                written += os.write(self.stdin.fileno(), data[written:])
        return data[written:]

    def close_stdin(self) -> None:
        """Tells the CLI that nothing follows; at rest, it then saves the session and ends."""
        self.stdin.close()

    def terminate(self) -> None:
        """Asks the CLI to end; on SIGTERM it ends the shells of its tools too, which run in sessions of their own."""
        if not self.ended:
            self._popen.terminate()

    def kill(self) -> None:
        """Ends the CLI at once, and all that it has started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        # What outlives it is, for instance, a background shell in a session of its own.
        end_leftovers(self._scratch, spare={self.pid, self._guardian.pid}, orphans=self.orphans)

    def remove_scratch(self) -> None:
        """Removes the run's temporary files."""
        self._guardian.dismiss()
        remove_scratch(self._scratch)


def _readable(secret: bytes) -> int:
    """A descriptor to read a few bytes from."""
    reading, writing = os.pipe()
    with open(writing, "wb") as pipe:  # noqa: PTH123 it has no path
        pipe.write(secret)
    return reading


def _before_exec(*, confined: bool) -> Callable[[], None]:
    """What to call in the child: it inherits no disposition, on Linux ends with its parent, and may be confined."""
    parent = os.getpid()

    def prepare() -> None:
        for number in signal.valid_signals() - _FIXED:
            if signal.getsignal(number) is signal.SIG_IGN:  # handlers end with the exec
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        end_with_parent(signal.SIGTERM)
        if os.getppid() != parent:  # it ended before the call above
            os._exit(1)
        if confined:
            confine()

    return prepare
