"""The installed console scripts as processes, in an environment that holds nothing of this machine."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import pytest

from tests.cli.terminal import Terminal
from tests.e2e.loaded import LoadedWorker, LoadedWorkers
from tests.waiting import PATIENCE_S

SCRIPTS = Path(sys.executable).parent
Process = subprocess.Popen[bytes] | LoadedWorker
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)

Body = dict[str, Any]


@dataclass(frozen=True)
class Scripts:
    """Runs the console scripts with a home of their own and none of this machine's variables."""

    home: Path
    loaded: LoadedWorkers | None = None
    """Starts the programs in place of the installed ones, where a test wants it and lets them run to their end."""

    def environ(self, **variables: str) -> dict[str, str]:
        own = {"PATH": f"{SCRIPTS}:/usr/bin:/bin", "HOME": str(self.home), "TMPDIR": str(self.home), "LANG": "C.UTF-8"}
        return own | variables

    def __call__(
        self, *command: str | Path, given: str | bytes = b"", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        data = given.encode() if isinstance(given, str) else given
        if self.loaded and str(command[0]).startswith("agent-"):
            return self._run_loaded(self.loaded, command, data, self.environ(**(env or {})))
        ended = subprocess.run(
            [str(part) for part in command],
            input=data,
            capture_output=True,
            env=self.environ(**(env or {})),
            timeout=PATIENCE_S,
            check=False,
        )
        return subprocess.CompletedProcess(ended.args, ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    def _run_loaded(
        self, loaded: LoadedWorkers, command: tuple[str | Path, ...], given: bytes, env: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        program, *arguments = map(str, command)
        with tempfile.TemporaryFile() as errors:
            process = loaded.start(
                *(program, tuple(arguments)), env=env, cwd=Path.cwd(), stdout=subprocess.PIPE, stderr=errors.fileno()
            )
            assert process.stdin
            assert process.stdout
            with ThreadPoolExecutor(1) as threads, process.stdout:
                threads.submit(_write, process.stdin, given)
                output = process.stdout.read()
            status = process.wait(PATIENCE_S)
            errors.seek(0)
            return subprocess.CompletedProcess(command, status, output.decode(), errors.read().decode())

    @contextmanager
    def running(self, *command: str | Path, stdin: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[bytes]]:
        """A command that runs on; it is ended with the block."""
        with subprocess.Popen(
            [str(part) for part in command],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=self.environ(),
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def at_terminal(
        self, *command: str | Path, given: Path = Path(os.devnull), columns: int = 80, rows: int = 24, **variables: str
    ) -> tuple[Terminal, int]:
        """Runs a command whose stdout is a terminal; returns what a person sees in the end, and the exit status."""
        options: Any = {"given": given, "columns": columns, "rows": rows}
        with self._at_terminal(command, self._start_loaded if self.loaded else _start, **options, **variables) as shown:
            return shown.to_end()

    @contextmanager
    def running_at_terminal(
        self, *command: str | Path, given: Path = Path(os.devnull), columns: int = 80, rows: int = 24, **variables: str
    ) -> Iterator["Shown"]:
        """A command whose stdout is a terminal, while it runs; it is ended with the block."""
        options: Any = {"given": given, "columns": columns, "rows": rows}
        with self._at_terminal(command, _start, **options, **variables) as shown:
            yield shown

    @contextmanager
    def _at_terminal(
        self,
        command: tuple[str | Path, ...],
        start: Callable[..., Process],
        *,
        given: Path,
        columns: int,
        rows: int,
        **variables: str,
    ) -> Iterator["Shown"]:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        env = self.environ(TERM="xterm-256color") | variables
        with given.open("rb") as stdin, Path(os.devnull).open("wb") as stderr:
            process = start(*map(str, command), stdin=stdin.fileno(), stdout=slave, stderr=stderr.fileno(), env=env)
        os.close(slave)
        try:
            yield Shown(process, master, Terminal(columns, rows))
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE_S)
            os.close(master)

    def _start_loaded(self, program: str, *arguments: str, **options: Any) -> LoadedWorker:
        assert self.loaded
        return self.loaded.start(program, arguments, cwd=Path.cwd(), **options)


def _start(*command: str, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, **options)


def _write(stream: IO[bytes], data: bytes) -> None:
    with suppress(BrokenPipeError), stream:
        stream.write(data)


@dataclass
class Shown:
    """A process and the terminal that it writes to."""

    process: Process
    master: int
    terminal: Terminal

    def until(self, text: str) -> None:
        """Waits until a person sees this text."""
        while text not in self.terminal.text:
            assert self._take(), f"the process ended and never showed {text!r}"

    def to_end(self) -> tuple[Terminal, int]:
        """Waits until the process has ended."""
        while self._take():
            pass
        return self.terminal, self.process.wait(PATIENCE_S)

    def _take(self) -> bool:
        if not select.select([self.master], [], [], PATIENCE_S)[0]:
            raise TimeoutError
        try:
            self.terminal.feed(os.read(self.master, 1 << 16))
        except OSError:  # how a terminal ends on Linux
            return False
        return True


@pytest.fixture
def scripts(request: pytest.FixtureRequest, tmp_path: Path) -> Scripts:
    home = tmp_path / "home"
    home.mkdir()
    names = request.fixturenames
    loaded = request.getfixturevalue("loaded") if "loaded" in names and "installed" not in names else None
    return Scripts(home, loaded)


@pytest.fixture
def installed() -> None:
    """Has the installed programs start in a test of a module that uses ``loaded``."""


def lines_of(bodies: tuple[Body, ...], *, run: str, gap_s: float = 0) -> bytes:
    """The events of a run, well numbered, as far apart as said; a body may bring an envelope field of its own."""
    events = []
    for index, body in enumerate(bodies):
        at = (_BEGAN + timedelta(seconds=index * gap_s)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        events.append({"v": 1, "seq": index + 1, "run": run, "ts": at, **body})
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


Record = Callable[..., Path]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """`record(start, delta, done, gap_s=1)` writes a recording of these bodies and returns its path."""

    def write(*bodies: Body, gap_s: float = 0, torn: bytes = b"") -> Path:
        path = tmp_path / f"{uuid.uuid4()}.ndjson"
        path.write_bytes(lines_of(bodies, run=f"recorded-{path.stem}", gap_s=gap_s) + torn)
        return path

    return write
