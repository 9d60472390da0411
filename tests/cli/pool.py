"""A pool that does what a test says, by the protocol of ``docs/pool.md`` or against it."""

import json
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.waiting import PATIENCE_S

START = {"type": "start", "worker": "agent-chat", "worker_version": "1", "sdk_version": "1", "simulated": True}
DELTA = {"type": "delta", "text": "Hello", "block": 1}
DONE = {
    "type": "done",
    "text": "Hello",
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 1},
    "duration_ms": 1,
    "turns": 1,
}
LAST = b'{"pool": 1, "exit": 0}\n'


def line(seq: int, body: dict[str, Any], run: str = "pooled") -> bytes:
    """The line of an event."""
    event = {"v": 1, "seq": seq, "run": run, "ts": "2026-01-01T00:00:00.000Z", **body}
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"


def answer(*bodies: dict[str, Any]) -> bytes:
    """The lines of a run."""
    return b"".join(line(seq, body) for seq, body in enumerate(bodies, 1))


HELLO = answer(START, DELTA, DONE)


class Call:
    """One connection, as the pool has it."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._file = connection.makefile("rb")
        self.head: dict[str, Any] = {}
        self.request = b""

    def take(self) -> None:
        """Reads the first line and the request."""
        self.head = json.loads(self._file.readline())
        self.request = self._file.read(self.head["size"])

    def read(self) -> bytes:
        """The next line from the client; nothing where it has closed its end."""
        return self._file.readline()

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def close(self) -> None:
        self._file.close()
        self.connection.close()


Play = Callable[[Call], None]


class Pool:
    """A pool at a socket.

    Attributes:
        path: Of the socket.
        calls: The connections that have been served.
    """

    def __init__(self, path: Path, play: Play) -> None:
        self.path = str(path)
        self.calls: list[Call] = []
        self.faults: queue.SimpleQueue[BaseException] = queue.SimpleQueue()
        self._play = play
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            with suppress(OSError):
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()
                continue
            return

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE_S)
        call = Call(connection)
        self.calls.append(call)
        try:
            with suppress(ConnectionError):  # the client may go when it likes
                self._play(call)
        except BaseException as fault:  # noqa: BLE001 the test's own thread tells it
            self.faults.put(fault)
        finally:
            call.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        Path(self.path).unlink()
        self._thread.join(PATIENCE_S)
        if not self.faults.empty():
            raise self.faults.get()


@contextmanager
def pool_at(path: Path, play: Play) -> Iterator[Pool]:
    """A pool that is there for a while."""
    pool = Pool(path, play)
    try:
        yield pool
    finally:
        pool.close()


def saying(*parts: bytes) -> Play:
    """Takes the request and answers with these."""

    def play(call: Call) -> None:
        call.take()
        for part in parts:
            call.send(part)

    return play
