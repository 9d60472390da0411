"""A Redis of a test's own: Debian's server on a free port of the loopback interface."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from tests.waiting import PATIENCE_S, until


class RedisServer:
    """A server that can be killed and started again, with what it has written.

    Args:
        folder: Where it writes.
        options: Of its command line.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.client = Redis(port=self.port, socket_timeout=PATIENCE_S, retry=Retry(NoBackoff(), 0), protocol=2)
        self.start()

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        kept = ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*command, *kept, *self._options], stdout=log, stderr=log)
        until(self.answers)

    def answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except RedisError:
            return False

    def send(self, number: signal.Signals) -> None:
        """Has it stand still, or go on."""
        assert self._process
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kills it, as a machine that loses its power does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends it."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process:
            self.client.connection_pool.disconnect()
            self._process.send_signal(number)
            self._process.wait(timeout=PATIENCE_S)
            self._process = None


@contextmanager
def running_redis(folder: Path, *options: str) -> Iterator[RedisServer]:
    """Starts a Redis and ends it."""
    server = RedisServer(folder, *options)
    try:
        yield server
    finally:
        server.stop()
        server.client.close()
