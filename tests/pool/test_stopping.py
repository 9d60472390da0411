"""A pool that is stopped, reloaded or killed under load, and what it says to its service manager."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.worker import Home, environ_of
from tests.pool.served import Client, ServedPool, members_of
from tests.pool.test_full import abort, begun, configured
from tests.pool.test_live import then
from tests.waiting import PATIENCE_S, until

Serve = Callable[..., ServedPool]


def test_runs_go_on_through_any_number_of_reloads(serve: Serve) -> None:
    pool = serve("--min-idle", "1", "--max-live", "0")
    clients = [begun(pool) for _ in range(3)]
    first = pool.forkserver
    for _ in range(3):
        pool.reload()
    clients += [begun(pool) for _ in range(3)]
    abort(*clients)
    until(lambda: not Path(f"/proc/{first}").exists())
    assert pool.run({"prompt": "Hi"}).last["type"] == "done"


def test_a_pool_that_is_stopped_takes_nobody_and_lets_runs_end(serve: Serve, tmp_path: Path) -> None:
    pool = configured(serve, tmp_path, "queue_s = 600\nstop_s = 600\n[pool.default]\nmax = 2\nmin_idle = 0\n")
    running = [begun(pool), begun(pool)]
    waiting = pool.ask({"prompt": "Hi"})
    pool.wait_for("waiting", 1)
    silent = pool.connect()
    pool.signal(signal.SIGTERM)
    assert [client.end().ending for client in (waiting, silent)] == [("pool_full", 75)] * 2
    assert not pool.path.exists()
    with pytest.raises(FileNotFoundError):
        pool.connect()
    pool.signal(signal.SIGHUP)  # which hurries nothing
    abort(running[0])
    assert pool.process.poll() is None
    abort(running[1])
    assert pool.process.wait(PATIENCE_S) == 0


def test_a_second_signal_stops_what_still_runs(serve: Serve, tmp_path: Path) -> None:
    pool = configured(serve, tmp_path, "stop_s = 600\n[pool.default]\nmin_idle = 0\n")
    running = begun(pool)
    pool.signal(signal.SIGTERM)
    until(lambda: not pool.path.exists())
    pool.signal(signal.SIGTERM)
    run = running.end()
    assert (run.last["type"], run.last["reason"], run.status) == ("aborted", "signal", 3)
    assert pool.process.wait(PATIENCE_S) == 0


def test_runs_outlive_a_server_that_is_killed_and_another_one_takes_its_place(serve: Serve) -> None:
    pool = serve("--min-idle", "1")
    kept = pool.run({"prompt": "Hi. [[scenario:memory]]"})
    running = begun(pool)
    until(lambda: members_of(pool, "live") and members_of(pool, "idle"), what=lambda: pool.status)
    waiting = members_of(pool, "idle") + members_of(pool, "live")
    pool.signal(signal.SIGKILL)
    pool.process.wait(PATIENCE_S)
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in waiting))
    assert pool.path.exists()
    pool.start()
    assert pool.run(then(kept)).last["type"] == "done"
    abort(running)


def test_a_second_server_leaves_the_socket_to_the_first(serve: Serve) -> None:
    pool = serve("--min-idle", "0")
    other = subprocess.run(
        pool.command, env=pool.home.environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (other.returncode, "another pool serves there" in other.stderr) == (1, True)
    assert pool.run({"prompt": "Hi"}).last["type"] == "done"


def test_of_servers_that_start_at_once_over_a_stale_socket_one_serves(serve: Serve) -> None:
    pool = serve("--min-idle", "0")
    pool.signal(signal.SIGKILL)
    pool.process.wait(PATIENCE_S)
    others = [
        subprocess.Popen(pool.command, env=pool.home.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(3)
    ]
    ended = until(lambda: len(found := [each for each in others if each.poll() is not None]) == 2 and found)
    [serving] = [each for each in others if each not in ended]
    assert {each.returncode for each in ended} == {1}
    run = until(lambda: pool.path.exists() and pool.run({"prompt": "Hi"}))
    assert run.last["type"] == "done"
    serving.terminate()
    assert serving.wait(PATIENCE_S) == 0


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """What the service manager hears."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "notify"))
        end.settimeout(PATIENCE_S)
        yield end


def test_the_service_manager_is_told_how_far_it_is(serve: Serve, tmp_path: Path, manager: socket.socket) -> None:
    pool = serve("--min-idle", "0", env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
    assert manager.recv(4096) == b"READY=1"
    pool.signal(signal.SIGHUP)
    first, _, second = manager.recv(4096).partition(b"\n")
    assert (first, second.startswith(b"MONOTONIC_USEC="), second[15:].isdigit()) == (b"RELOADING=1", True, True)
    assert manager.recv(4096) == b"READY=1"
    assert pool.stop() == 0
    assert manager.recv(4096) == b"STOPPING=1"


_ACTIVATED = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "pool"}
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_a_socket_of_the_service_manager_is_served_and_left_to_it(serve: Serve, home: Home) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(home.root / "pool.sock"))
        listening.listen()
        early = Client(home.root / "pool.sock")  # before there is a server
        early.send({"pool": 1, "worker": "agent-chat"}, {"prompt": "Hi"})
        starter = [sys.executable, "-c", _ACTIVATED, str(listening.fileno())]
        pool = serve("--min-idle", "0", starter=starter, process={"pass_fds": [listening.fileno()]})
        assert early.end().last["type"] == "done"
        running = begun(pool)
        [busy] = members_of(pool, "busy")
        assert [entry for entry in environ_of(busy) if entry.startswith(b"LISTEN_")] == []
        abort(running)
        assert pool.stop() == 0
        assert pool.path.exists()
