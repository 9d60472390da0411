"""Starts workers without the time that Python takes: one process has imported them all and forks for each."""

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SCRIPT = Path(__file__).with_name("forking.py")


class Forked:
    """A worker that was forked, as far as the kit uses a ``subprocess.Popen``."""

    def __init__(self, told: int) -> None:
        self._told = os.fdopen(told, "rb")
        self.pid = int(self._told.readline())
        self._status: int | None = None

    def poll(self) -> int | None:
        return self._end_within(0)

    def wait(self, timeout: float) -> int:
        if (status := self._end_within(timeout)) is None:
            raise subprocess.TimeoutExpired("a forked worker", timeout)
        return status

    def _end_within(self, seconds: float) -> int | None:
        if self._status is None and select.select([self._told], [], [], seconds)[0]:
            with self._told:
                self._status = int(self._told.readline())
        return self._status


class Forking:
    """The process that forks. It ends when this object is closed, or its owner dies."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-S", "-E", _SCRIPT, str(theirs.fileno()), ROOT]
            self._popen = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)

    def start(
        self, command: Sequence[str], *, stdin: int, stdout: int, stderr: int, cwd: Path | None, env: Mapping[str, str]
    ) -> Forked:
        """Starts the worker of that name, as ``Start`` says."""
        told, telling = os.pipe()
        request = json.dumps({"command": list(command), "env": dict(env)}).encode()
        try:
            socket.send_fds(self._control, [request], [stdin, stdout, stderr, telling])
        finally:
            os.close(telling)
        return Forked(told)

    def close(self) -> None:
        self._control.close()
        self._popen.wait()
