"""A pool as an operator starts it, and clients that speak its protocol."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.e2e.stream import TERMINAL, Event, check_whole, events_of
from tests.e2e.worker import SCRIPTS, Ended, Home
from tests.waiting import PATIENCE_S, until

CHAT = {"pool": 1, "worker": "agent-chat", "control": True}


class Client:
    """A connection to a pool."""

    def __init__(self, path: Path) -> None:
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.settimeout(PATIENCE_S)
        try:
            self.connection.connect(str(path))
        except OSError:
            self.connection.close()
            raise
        self._reader = self.connection.makefile("rb")
        self._lines: list[bytes] = []

    def write(self, data: bytes) -> None:
        with suppress(OSError):  # it has gone, or was closed here by another thread
            self.connection.sendall(data)

    def send(self, *messages: object) -> None:
        self.write(b"".join(json.dumps(message).encode() + b"\n" for message in messages))

    def told(self) -> Iterator[Event]:
        """Yields each event as it comes, up to the terminal one."""
        while line := self._reader.readline():
            self._lines.append(line)
            event = json.loads(line)
            yield event
            if event.get("type") in TERMINAL:
                return

    def wait_for(self, kind: str) -> Event:
        for event in self.told():
            if event["type"] == kind:
                return event
        raise AssertionError(f"no {kind} in {self._lines}")

    def rest(self) -> bytes:
        """Reads to the end, whatever comes."""
        with suppress(ConnectionResetError):
            self._lines += self._reader
        return b"".join(self._lines)

    def end(self, *, whole: bool = True) -> Ended:
        """Reads to the end; the status is that of the pool's last line, -1 where there is none."""
        with suppress(ConnectionResetError):
            self._lines += self._reader
        self.close()
        status = -1
        if self._lines and (last := json.loads(self._lines[-1])).keys() == {"pool", "exit"}:
            status = last["exit"]
            self._lines.pop()
        output = b"".join(self._lines)
        events = events_of(output)
        if whole:
            check_whole(events)
        return Ended(status, output, "", events)

    def close(self) -> None:
        self._reader.close()
        self.connection.close()


class ServedPool:
    """A pool's server that runs.

    Args:
        home: Where it lives.
        options: Of its command line.
        env: Variables to add.
        starter: A command that starts it in its turn.
        process: Of its process, as in ``subprocess``.
    """

    def __init__(
        self,
        home: Home,
        *options: str,
        env: dict[str, str] | None = None,
        starter: Sequence[str] = (),
        process: dict[str, Any] | None = None,
    ) -> None:
        self.home = home
        self.path = home.root / "pool.sock"
        self._log = home.root / f"pool-{os.urandom(4).hex()}.log"
        self.command = [*starter, str(SCRIPTS / "agent-workers"), "pool", "--socket", str(self.path), *options]
        self._environ = home.environ | (env or {})
        self._process = process or {}
        self._starts = 0
        self.start()

    def start(self) -> None:
        """Starts the server, another one where it has ended."""
        self._starts += 1
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home.root,
                **self._process,
            )
        until(self._is_up, what=lambda: self.log)

    def _is_up(self) -> bool:
        assert self.process.poll() is None, self.log
        return self.log.count("listening at") >= self._starts

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def connect(self) -> Client:
        return Client(self.path)

    def ask(self, request: object, **hello: object) -> Client:
        """Sends a request; returns the connection."""
        client = self.connect()
        client.send(CHAT | hello, request)
        return client

    def run(self, request: object, **hello: object) -> Ended:
        """Sends a request and reads the run to its end."""
        return self.ask(request, **hello).end()

    @property
    def status(self) -> dict[str, Any]:
        client = self.connect()
        client.send({"pool": 1, "status": True})
        found = json.loads(client.connection.makefile("rb").readline())
        client.close()
        return dict(found)

    def number(self, state: str, pool: str = "default") -> int:
        return int(self.status["pools"][pool][state])

    def wait_for(self, state: str, number: int, pool: str = "default") -> None:
        """Waits until so many processes are in a state."""
        until(lambda: self.number(state, pool) == number, what=lambda: (self.status, self.log))

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    @property
    def forkserver(self) -> int:
        """The process that forks the workers at the moment."""
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return max(map(int, Path(children).read_text("ascii").split()))

    def reload(self) -> None:
        """Has it read its settings anew, and waits until it has."""
        before = self.log.count("settings")
        self.signal(signal.SIGHUP)
        until(lambda: self.log.count("settings") > before, what=lambda: self.log)

    def stop(self) -> int:
        """Stops it as a service manager does; returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


def members_of(pool: ServedPool, state: str, name: str = "default") -> list[int]:
    """The process ids of the workers in a state."""
    return [member["pid"] for member in pool.status["pools"][name]["processes"] if member["state"] == state]


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def family_of(pid: int) -> list[int]:
    """A process and all that it has started."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    except OSError:  # it has ended
        return []
    return [pid, *(each for child in map(int, children) for each in family_of(child))]
