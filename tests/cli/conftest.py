"""The installed console scripts as processes, in an environment that holds nothing of this machine."""

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.waiting import PATIENCE_S

SCRIPTS = Path(sys.executable).parent
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)

Body = dict[str, Any]


@dataclass(frozen=True)
class Scripts:
    """Runs the console scripts with a home of their own and none of this machine's variables."""

    home: Path

    def environ(self, **variables: str) -> dict[str, str]:
        own = {"PATH": f"{SCRIPTS}:/usr/bin:/bin", "HOME": str(self.home), "TMPDIR": str(self.home), "LANG": "C.UTF-8"}
        return own | variables

    def __call__(
        self, *command: str | Path, given: str | bytes = b"", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        data = given.encode() if isinstance(given, str) else given
        ended = subprocess.run(
            [str(part) for part in command],
            input=data,
            capture_output=True,
            env=self.environ(**(env or {})),
            timeout=PATIENCE_S,
            check=False,
        )
        return subprocess.CompletedProcess(ended.args, ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    @contextmanager
    def running(self, *command: str | Path) -> Iterator[subprocess.Popen[bytes]]:
        """A command that runs on; it is ended with the block."""
        with subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
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
        with self.running_at_terminal(*command, given=given, columns=columns, rows=rows, **variables) as shown:
            return shown.to_end()

    @contextmanager
    def running_at_terminal(
        self, *command: str | Path, given: Path = Path(os.devnull), columns: int = 80, rows: int = 24, **variables: str
    ) -> Iterator["Shown"]:
        """A command whose stdout is a terminal, while it runs; it is ended with the block."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        env = self.environ(TERM="xterm-256color") | variables
        argv = [str(part) for part in command]
        with (
            given.open("rb") as stdin,
            subprocess.Popen(argv, stdin=stdin, stdout=slave, stderr=subprocess.DEVNULL, env=env) as process,
        ):
            os.close(slave)
            try:
                yield Shown(process, master, Terminal(columns, rows))
            finally:
                process.kill()
                os.close(master)


@dataclass
class Shown:
    """A process and the terminal that it writes to."""

    process: subprocess.Popen[bytes]
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
def scripts(tmp_path: Path) -> Scripts:
    home = tmp_path / "home"
    home.mkdir()
    return Scripts(home)


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
