"""The installed worker as a process, in an environment that holds nothing of this machine."""

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import termios
import threading
from array import array
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any

from tests.e2e.engines import AGENT
from tests.e2e.loaded import LoadedWorker, LoadedWorkers
from tests.e2e.stream import TERMINAL, Event, check_whole, events_of
from tests.waiting import PATIENCE_S, now, told_of

SCRIPTS = Path(sys.executable).parent
Process = subprocess.Popen[bytes] | LoadedWorker
_BEGINNING = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{(?=\s*\")")


@dataclass(frozen=True)
class Ended:
    """A run that has ended: what it wrote and its exit status."""

    status: int
    output: bytes
    stderr: str
    events: list[Event] = field(default_factory=list)

    @property
    def last(self) -> Event:
        return self.events[-1]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event["type"] == kind]

    @property
    def ending(self) -> tuple[str, int]:
        """Type of the last event, or its code where it is an error, and the exit status."""
        return (self.last.get("code") or self.last["type"], self.status)


class Home:
    """A place of its own for some runs, and whom they reach.

    Args:
        root: An empty directory.
        base_url: What the worker takes for the API.
        engine: The engine of each request that names none.

    Attributes:
        loaded: What starts the workers in place of the installed program, where a test wants it.
        engine: The engine of each request that names none; None where that is the worker's own choice.
    """

    def __init__(self, root: Path, base_url: str, engine: str = AGENT) -> None:
        self.root = root
        self.loaded: LoadedWorkers | None = None
        self.engine = None if engine == AGENT else engine
        self.temporary = root / "tmp"
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(root / "home"),
            "AGENT_WORKERS_STATE_DIR": str(root / "state"),
            "TMPDIR": str(self.temporary),
            "ANTHROPIC_BASE_URL": base_url,
            "ANTHROPIC_API_KEY": "key-canary",
        }
        for path in (root / "home", root / "state", self.temporary):
            path.mkdir(exist_ok=True)
        self._started: list[Running] = []

    def start(
        self,
        *arguments: str,
        worker: str = "agent-chat",
        env: dict[str, str] | None = None,
        without: tuple[str, ...] = (),
        prefix: tuple[str, ...] = (),
        stdout: int = subprocess.PIPE,
        reading: bool = True,
    ) -> "Running":
        """Starts the worker.

        Args:
            arguments: Of its command line.
            worker: Which one.
            env: Variables to add.
            without: Variables to leave out.
            prefix: A command that starts it in its turn.
            stdout: As in ``subprocess``.
            reading: Whether somebody reads its output from the start.
        """
        environ = {name: value for name, value in self.environ.items() if name not in without} | (env or {})
        if self.loaded and not prefix:
            loaded = partial(self.loaded.start, worker, arguments)
            return self._run(loaded, environ, stdout=stdout, reading=reading)
        command = [*prefix, str(SCRIPTS / worker), *arguments]
        return self.run_command(command, environ, stdout=stdout, reading=reading)

    def run_command(
        self,
        command: list[str],
        environ: dict[str, str] | None = None,
        *,
        stdout: int = subprocess.PIPE,
        reading: bool = True,
    ) -> "Running":
        """Starts a worker by a command of its own."""
        start = partial(subprocess.Popen, command, stdin=subprocess.PIPE)
        return self._run(start, environ or self.environ, stdout=stdout, reading=reading)

    def _run(self, start: Callable[..., Process], environ: dict[str, str], *, stdout: int, reading: bool) -> "Running":
        running = Running(start, environ, self.root, stdout=stdout, reading=reading, engine=self.engine)
        self._started.append(running)
        return running

    def run(self, request: object, *arguments: str, after: bytes = b"", **options: Any) -> Ended:
        """Runs one request to its end; ``after`` is written behind it in the same write."""
        running = self.start(*arguments, **options)
        running.write(encoded(request) + after)
        if "--control" not in arguments:
            running.end_input()
        return running.end()

    def processes(self) -> list[int]:
        """The processes of the runs, whatever became of their parents: their environment gives them away."""
        marks = [f"\0{name}={self.root}".encode() for name in ("HOME", "TMPDIR", "CLAUDE_CONFIG_DIR")]
        return [
            pid
            for pid in _pids()
            if _has_any(marks, b"\0" + _read_of(pid, "environ"))
            or (self.loaded and self.loaded.has_forked(pid, command_of(pid)) and self._is_here(pid))
        ]

    def left(self) -> str:
        """The processes of the runs, for a wait for their end that has failed."""
        return told_of(self.processes())

    def _is_here(self, pid: int) -> bool:
        """Whether a process is in this place, as the workers are that are started here, and what they fork."""
        with suppress(OSError):
            return Path(f"/proc/{pid}/cwd").readlink().is_relative_to(self.root)
        return False

    def agents(self, *, of: "Running") -> list[int]:
        """The processes of the runs but for the worker itself, and the copy of it that watches over its end.

        What has ended since it was found, or is just ending, has no command line any more, and is none of them.
        """
        none_of_them = (b"", command_of(of.pid))
        return [pid for pid in self.processes() if pid != of.pid and command_of(pid) not in none_of_them]

    def kill_all(self) -> None:
        """Ends what is left of the runs."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for running in self._started:
            running.close()


class Running:
    """A worker's process. Its output is read in a thread, line by line, with the time of each."""

    def __init__(
        self,
        start: Callable[..., Process],
        environ: dict[str, str],
        cwd: Path,
        *,
        stdout: int,
        reading: bool,
        engine: str | None = None,
    ) -> None:
        self._engine = engine
        self._errors = cwd / f"stderr-{os.urandom(4).hex()}"
        with self._errors.open("wb") as errors:
            self._popen = start(env=environ, cwd=cwd, stdout=stdout, stderr=errors.fileno())
        self.pid = self._popen.pid
        self._lines: list[bytes] = []
        self._kinds: list[str] = []
        self._arrivals: list[float] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        if reading and self._popen.stdout:
            self.read()

    def read(self) -> None:
        """Begins to read the output."""
        self._reader.start()

    def _read(self) -> None:
        assert self._popen.stdout
        for line in self._popen.stdout:
            kind = _kind(line)
            with self._changed:
                self._lines.append(line)
                self._kinds.append(kind)
                self._arrivals.append(now())
                self._changed.notify_all()

    # Input

    def write(self, data: bytes) -> None:
        """Writes to stdin; a worker that has gone is no fault of the writer's."""
        assert self._popen.stdin
        if self._engine:
            data, self._engine = of_engine(data, self._engine), None
        with suppress(BrokenPipeError):
            self._popen.stdin.write(data)
            self._popen.stdin.flush()

    def send(self, message: object) -> None:
        """Writes one JSON line to stdin."""
        self.write(encoded(message) + b"\n")

    def end_input(self) -> None:
        """Closes stdin."""
        assert self._popen.stdin
        with suppress(BrokenPipeError):
            self._popen.stdin.close()

    # Output

    @property
    def output(self) -> bytes:
        """What was read until now."""
        return b"".join(self._lines)

    @property
    def stderr(self) -> str:
        return self._errors.read_text("utf-8", "replace")

    def wait_for(self, *kinds: str, count: int = 1) -> float:
        """Waits until so many events of one of these types were read; returns when the last of them arrived."""
        found: list[int] = []

        def is_there() -> bool:
            found[:] = [number for number, kind in enumerate(self._kinds) if kind in kinds]
            return len(found) >= count

        with self._changed:
            if not self._changed.wait_for(is_there, PATIENCE_S):
                raise TimeoutError(f"no {kinds} in {self.output[-2000:]!r}, stderr {self.stderr[-2000:]}")
        return self._arrivals[found[count - 1]]

    def told(self) -> Iterator[Event]:
        """Yields each event as it arrives, up to the terminal one."""
        number = 0
        while True:
            with self._changed:
                if not self._changed.wait_for(lambda: len(self._lines) > number, PATIENCE_S):  # noqa: B023 at once
                    raise TimeoutError(f"nothing after {self.output[-2000:]!r}, stderr {self.stderr[-2000:]}")
            event = json.loads(self._lines[number])
            number += 1
            yield event
            if event["type"] in TERMINAL:
                return

    def waiting(self) -> int:
        """Bytes in the pipe that nobody has read."""
        assert self._popen.stdout
        count = array("i", [0])
        fcntl.ioctl(self._popen.stdout, termios.FIONREAD, count)
        return count[0]

    def chunks(self, size: int) -> Iterator[bytes]:
        """Reads the output in chunks of this size; only where nobody reads in a thread."""
        assert self._popen.stdout
        while chunk := os.read(self._popen.stdout.fileno(), size):
            yield chunk

    def close_output(self) -> None:
        """Goes away as a reader does; only where nobody reads in a thread."""
        assert self._popen.stdout
        self._popen.stdout.close()

    # End

    def signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def end(self, *, whole: bool = True) -> Ended:
        """Waits for the end and checks the output.

        Args:
            whole: Whether exactly one terminal event is promised.
        """
        try:
            status = self._popen.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"still runs; {self.output[-2000:]!r}, stderr {self.stderr[-2000:]}") from None
        if self._reader.ident:
            self._reader.join(PATIENCE_S)
        events = events_of(self.output)
        if whole:
            check_whole(events)
        else:
            assert [event for event in events if event["type"] in TERMINAL] == []
        return Ended(status, self.output, self.stderr, events)

    @property
    def status(self) -> int:
        """The exit status, of which nothing more is asked than that it comes."""
        return self._popen.wait(PATIENCE_S)

    def close(self) -> None:
        """Leaves nothing open."""
        self._popen.wait(PATIENCE_S)
        if self._reader.ident:
            self._reader.join(PATIENCE_S)
        for stream in (self._popen.stdin, self._popen.stdout):
            with suppress(BrokenPipeError):
                if stream:
                    stream.close()


def encoded(message: object) -> bytes:
    """JSON, where it is not bytes already."""
    return message if isinstance(message, bytes) else json.dumps(message).encode()


def of_engine(request: bytes, engine: str) -> bytes:
    """A request, or its beginning, that names an engine where it named none; what is no object stays as it is."""
    beginning = _BEGINNING.match(request)
    if beginning is None or b'"engine"' in request:
        return request
    return b'%s"engine": "%s", %s' % (beginning[0], engine.encode(), request[beginning.end() :])


def script(path: Path, *commands: str) -> Path:
    """Writes a shell script, for the place of the agent's CLI."""
    path.write_text("\n".join(["#!/bin/bash", *commands, ""]), "utf-8")
    path.chmod(0o755)
    return path


def environ_of(pid: int) -> list[bytes]:
    """The environment that a process was started with; empty for one that is no more."""
    return _read_of(pid, "environ").split(b"\0")


def command_of(pid: int) -> bytes:
    """The command line of a process; empty for one that is no more."""
    return _read_of(pid, "cmdline")


def catches(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal."""
    return _has(pid, "SigCgt", number)


def blocks(pid: int, number: int) -> bool:
    """Whether a process keeps a signal waiting."""
    return _has(pid, "SigBlk", number)


def _has(pid: int, field: str, number: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith(field))
    return bool(int(mask, 16) >> (number - 1) & 1)


def _kind(line: bytes) -> str:
    return json.loads(line)["type"] if line.endswith(b"\n") else ""


def _has_any(marks: list[bytes], environ: bytes) -> bool:
    return any(mark in environ for mark in marks)


def _pids() -> list[int]:
    with os.scandir("/proc") as entries:
        return [int(entry.name) for entry in entries if entry.name.isdigit()]


def _read_of(pid: int, name: str) -> bytes:
    """A file of a process; empty for one that is no more. Each test reads some of every process, so without ado."""
    with suppress(OSError), FileIO(f"/proc/{pid}/{name}") as file:
        return file.readall()
    return b""
