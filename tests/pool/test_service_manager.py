"""A pool under systemd: the socket that it is given, and what it tells of itself."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.worker import SCRIPTS, Home
from tests.pool.served import CHAT, Client
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.skipif(shutil.which("systemd-socket-activate") is None, reason="needs systemd")


@contextmanager
def activated(home: Home, path: Path, told: socket.socket) -> Iterator[subprocess.Popen[bytes]]:
    """A pool whose socket systemd's own program opens, and which is started by the first connection."""
    env = home.environ | {"NOTIFY_SOCKET": str(told.getsockname())}
    passed = [word for name in env for word in ("-E", name)]
    command = ["systemd-socket-activate", "-l", str(path), *passed, str(SCRIPTS / "agent-workers"), "pool"]
    with subprocess.Popen(
        [*command, "--min-idle", "0", "--max-live", "0"], env=env, cwd=home.root, stderr=subprocess.DEVNULL
    ) as process:
        try:
            until(path.exists)
            yield process
        finally:
            process.kill()


def test_it_takes_the_socket_that_it_is_given_and_leaves_it_and_tells_when_it_is_ready(home: Home) -> None:
    path = home.root / "given.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(home.root / "notify"))
        told.settimeout(PATIENCE_S)
        with activated(home, path, told) as process:
            client = Client(path)
            client.send(CHAT, {"prompt": "Hello"})
            assert told.recv(100) == b"READY=1"
            assert client.end().last["type"] == "done"
            process.send_signal(signal.SIGHUP)
            assert told.recv(100).splitlines()[0] == b"RELOADING=1"
            assert told.recv(100) == b"READY=1"
            process.send_signal(signal.SIGTERM)
            assert told.recv(100) == b"STOPPING=1"
            assert process.wait(PATIENCE_S) == 0
    assert path.exists()
