"""Workers without the time that Python takes to start and to import: one process has imported them and forks for each.

What it forks is a worker like any other: a process with its own stdin, stdout, stderr, environment, directory and exit
status, in which the real ``start()`` runs. But its imports are done, and ``/proc`` shows the environment and the
command line of the process that it came from. So it is for tests of what is said in a run, of which there are many. A
test of the start, of imports, signals, inherited things or what ``/proc`` shows starts the installed program.
"""

import json
import os
import select
import socket
import subprocess
import sys
from pathlib import Path

_LOADER = Path(__file__).with_name("loader.py")


class LoadedWorkers:
    """The process that has imported the workers. It ends when this object is closed, or its owner dies."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            token = os.urandom(8).hex()  # so that its command line, which all that it forks have too, is its own
            self._popen = subprocess.Popen(
                [sys.executable, "-EP", _LOADER, str(theirs.fileno()), token],
                env={"PATH": os.environ["PATH"]},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self._mark = f"\0{token}\0".encode()

    def start(
        self,
        program: str,
        arguments: tuple[str, ...],
        *,
        env: dict[str, str],
        cwd: Path,
        stdout: int,
        stderr: int,
        stdin: int = subprocess.PIPE,
        terminal: str | None = None,
    ) -> "LoadedWorker":
        """Starts a worker, or the program ``agent-workers``.

        Args:
            terminal: The path of one that becomes its own, at which it leads a session.

        The others are as in ``subprocess``.
        """
        what = {"arguments": [program, *arguments], "env": env, "cwd": str(cwd), "terminal": terminal}
        request = json.dumps(what).encode()
        told, telling = os.pipe()
        given, writing = os.pipe() if stdin == subprocess.PIPE else (os.dup(stdin), None)
        reading, output = os.pipe() if stdout == subprocess.PIPE else (None, os.dup(stdout))
        try:
            socket.send_fds(self._control, [request], [given, output, stderr, telling])
        finally:
            for descriptor in (given, output, telling):
                os.close(descriptor)
        return LoadedWorker(told, writing, reading)

    def has_forked(self, pid: int, command: bytes) -> bool:
        """Whether a process with this command line is a worker of these, or what one has forked in its turn."""
        return pid != self._popen.pid and self._mark in command

    def close(self) -> None:
        self._control.close()
        self._popen.wait()


class LoadedWorker:
    """A forked worker, as far as the tests use a ``subprocess.Popen``."""

    def __init__(self, told: int, stdin: int | None, stdout: int | None) -> None:
        self._told = os.fdopen(told, "rb")
        self.stdin = None if stdin is None else os.fdopen(stdin, "wb", buffering=0)
        self.stdout = None if stdout is None else os.fdopen(stdout, "rb")
        self.pid = int(self._told.readline())
        self._status: int | None = None

    def wait(self, timeout: float) -> int:
        if not self._has_ended(timeout):
            raise subprocess.TimeoutExpired("a loaded worker", timeout)
        assert self._status is not None
        return self._status

    def poll(self) -> int | None:
        return self._status if self._has_ended(0) else None

    def send_signal(self, number: int) -> None:
        if not self._has_ended(0):
            os.kill(self.pid, number)

    def _has_ended(self, within_s: float) -> bool:
        if self._status is None and select.select([self._told], [], [], within_s)[0]:
            with self._told:
                self._status = int(self._told.readline())
        return self._status is not None
