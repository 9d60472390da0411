"""A process of the fleet as its operator sees it: health, figures, what the service manager hears, how it ends."""

import http.client
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.worker import SCRIPTS, Home
from tests.fleet.redis_server import RedisServer
from tests.fleet.served import CHAT, User, Working, processes_below
from tests.waiting import PATIENCE_S, until

Work = Callable[..., Working]
SLOW = {**CHAT, "prompt": "Go. [[scenario:slow]]"}
PAGE = (Path(__file__).parents[2] / "docs/fleet.md").read_text("utf-8")


@pytest.fixture
def address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def get(address: str, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    with closing(http.client.HTTPConnection(address, timeout=PATIENCE_S)) as connection:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode()


Labels = frozenset[tuple[str, str]]


def figures(address: str) -> dict[tuple[str, Labels], float]:
    """What ``/metrics`` says of the fleet, by name and labels."""
    status, text = get(address, "/metrics")
    assert status == 200
    samples = re.findall(r"^agent_workers_fleet_(\w+)(?:\{(.*)\})? (\S+)$", text, re.MULTILINE)
    return {(name, frozenset(re.findall(r'(\w+)="([^"]*)"', labels))): float(value) for name, labels, value in samples}


def figure(address: str, name: str, **labels: str) -> float:
    return figures(address)[name, frozenset(labels.items())]


def test_a_process_that_takes_jobs_is_ready_and_one_without_redis_lives_but_is_not(
    work: Work, address: str, redis: RedisServer
) -> None:
    work("--listen", address)
    assert get(address, "/readyz") == (200, "ok\n")
    redis.stop()
    assert get(address, "/readyz") == (503, "Redis is away\n")
    assert get(address, "/healthz") == (200, "ok\n")
    assert figure(address, "redis_up") == 0
    redis.start()
    until(lambda: get(address, "/readyz")[0] == 200)
    until(lambda: figure(address, "redis_up") == 1)


def test_a_process_that_drains_is_not_ready_and_takes_nothing_more(
    work: Work, address: str, user: User, simulator: object
) -> None:
    working = work("--listen", address, "--grace-s", "600")
    run = user.submit({**SLOW, "attempts": 2}).run
    user.wait_for(run, "delta")
    working.send(signal.SIGTERM)
    until(lambda: get(address, "/readyz") == (503, "draining: it takes no more jobs\n"))
    assert get(address, "/healthz")[0] == 200
    waits = user.submit(CHAT)
    assert waits.state == "queued"
    working.send(signal.SIGTERM)
    assert working.process.wait(timeout=PATIENCE_S) == 0
    assert user.status(run).state == "queued"  # type: ignore[union-attr]
    for each in (run, waits.run):
        user.abort(each)


def test_the_figures_say_what_the_process_does_and_what_the_fleet_has(work: Work, address: str, user: User) -> None:
    work("--listen", address, "--queue", "default=1")
    slow = user.submit({**SLOW, "attempts": 1}).run
    user.wait_for(slow, "delta")
    waiting = user.submit({**CHAT, "tenant": "t"}).run
    later = user.submit({**CHAT, "run_at": "2999-01-01T00:00:00Z"}).run
    told = {
        name: figure(address, name, queue="default")
        for name in ("queued", "scheduled", "running", "asking", "slots_alive", "slots", "busy")
    }
    assert told == {
        "queued": 1,
        "scheduled": 1,
        "running": 1,
        "asking": 0,
        "slots_alive": 1,
        "slots": 1,
        "busy": 1,
    }
    user.abort(slow)
    user.follow(waiting)
    user.abort(later)
    until(lambda: figure(address, "busy", queue="default") == 0)
    for outcome, count in (("done", 1), ("aborted", 2)):
        assert figure(address, "runs_total", queue="default", outcome=outcome, code="") == count
    where = {"queue": "default", "worker": "agent-chat"}
    assert figure(address, "attempts_total", **where, outcome="done", code="") == 1
    assert figure(address, "duration_seconds_count", **where) == 2
    assert figure(address, "first_delta_seconds_count", **where) == 2
    assert figure(address, "cost_usd_total", **where) > 0
    assert figure(address, "tokens_total", **where, kind="output") > 0


def test_a_run_that_waits_for_an_answer_is_counted_until_it_has_it(
    work: Work, address: str, user: User, home: Home
) -> None:
    work("--listen", address)
    folder = home.root / "project"
    folder.mkdir()
    task = {
        "worker": "agent-task",
        "prompt": "Go. [[scenario:task-touch]]",
        "cwd": str(folder),
        "tools": ["Bash"],
        "permissions": {"mode": "ask"},
        "attempts": 1,
    }
    run = user.submit(task).run
    user.wait_for(run, "permission_request")
    until(lambda: figure(address, "asking", queue="default") == 1)
    user.abort(run)
    user.follow(run)
    assert figure(address, "asking", queue="default") == 0


def test_the_page_lists_every_figure(work: Work, address: str, user: User) -> None:
    work("--listen", address)
    user.run(CHAT)
    _, text = get(address, "/metrics")
    told = set(re.findall(r"^# TYPE (agent_workers_fleet_\w+) ", text, re.MULTILINE))
    listed = set(re.findall(r"^\| `(agent_workers_fleet_\w+)` \|", PAGE, re.MULTILINE))
    assert told == listed


def test_a_scraper_that_wants_open_metrics_gets_them(work: Work, address: str) -> None:
    work("--listen", address)
    assert get(address, "/metrics", Accept="application/openmetrics-text;version=x")[0] == 200
    _, text = get(address, "/metrics", Accept="application/openmetrics-text;version=1.0.0")
    assert text.endswith("# EOF\n")


def test_only_short_requests_that_read_are_answered(work: Work, address: str) -> None:
    work("--listen", address)
    assert get(address, "/healthz?deep=1") == (200, "ok\n")
    assert get(address, "/healthz", "HEAD") == (200, "")
    assert get(address, "/healthz", "POST")[0] == 400
    assert get(address, "/etc/passwd")[0] == 404
    assert get(address, "/healthz", X="x" * 10_000)[0] == 431
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as silent:
        assert get(address, "/healthz")[0] == 200
        assert silent.recv(1) == b""  # it is not waited for for long


def test_a_unix_socket_can_be_listened_at_and_is_removed(work: Work, tmp_path: Path) -> None:
    path = tmp_path / "health.sock"
    working = work("--listen", f"unix:{path}")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"GET /readyz HTTP/1.1\r\n\r\n")
        client.settimeout(PATIENCE_S)
        assert b"".join(iter(lambda: client.recv(4096), b"")).endswith(b"\r\n\r\nok\n")
    assert path.stat().st_mode & 0o777 == 0o660
    assert working.stop() == 0
    assert not path.exists()


def refused(home: Home, *options: str) -> str:
    command = [str(SCRIPTS / "agent-workers"), "fleet", "work", *options]
    ran = subprocess.run(command, env=home.environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ran.returncode
    assert "Traceback" not in ran.stderr
    return ran.stderr


def test_an_address_that_is_taken_is_told_at_the_start(home: Home, redis: RedisServer) -> None:
    taken = redis.url.split("/")[2]
    assert f"cannot listen at {taken}" in refused(home, "--redis", redis.url, "--listen", taken)
    assert "neither HOST:PORT" in refused(home, "--redis", redis.url, "--listen", "9464")


_LOADED = """
import sys, anyio
from agent_workers.cli.fleet_work import work
import agent_workers.fleet.serving.service as service
async def tell(settings):
    print(*sys.modules)
service.work = tell
work(["--queue", "default"], standalone_mode=False)
"""


def test_nothing_of_figures_and_traces_is_loaded_where_nobody_asks(home: Home) -> None:
    command = [shutil.which("python", path=str(SCRIPTS)) or "python", "-c", _LOADED]
    ran = subprocess.run(command, env=home.environ, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    loaded = set(ran.stdout.split())
    assert "agent_workers.fleet.serving.attempt" in loaded
    assert loaded & {"prometheus_client", "opentelemetry.exporter", "agent_workers.fleet.serving.http"} == set()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """What the service manager hears."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "notify"))
        end.settimeout(PATIENCE_S)
        yield end


def test_the_service_manager_is_told_how_far_it_is_and_that_its_loop_turns(
    work: Work, tmp_path: Path, manager: socket.socket
) -> None:
    working = work(env={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"})
    heard = {manager.recv(4096) for _ in range(4)}
    assert heard == {b"READY=1", b"WATCHDOG=1"}
    assert working.stop() == 0
    manager.setblocking(False)
    rest = list(iter(lambda: received(manager), None))
    assert b"STOPPING=1" in rest


def received(end: socket.socket) -> bytes | None:
    try:
        return end.recv(4096)
    except BlockingIOError:
        return None


@pytest.mark.parametrize("away", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_is_stopped_while_redis_is_away_ends_all_the_same(
    work: Work, user: User, redis: RedisServer, away: signal.Signals
) -> None:
    working = work("--grace-s", "1")
    run = user.submit(SLOW).run
    user.wait_for(run, "delta")
    if away == signal.SIGKILL:
        redis.kill()
    else:
        redis.send(away)
    assert working.stop() == 0
    assert not processes_below(working.process.pid) if Path(f"/proc/{working.process.pid}").exists() else True
    if away == signal.SIGKILL:
        redis.start()
    else:
        redis.send(signal.SIGCONT)
    assert "could not be given back" in working.log.read_text()


def test_a_second_signal_ends_the_grace(work: Work, user: User) -> None:
    working = work("--grace-s", "3600")
    run = user.submit(SLOW).run
    user.wait_for(run, "delta")
    working.send(signal.SIGTERM)
    until(lambda: "stops: what runs has" in working.log.read_text())
    assert working.stop(signal.SIGINT) == 0
    assert user.status(run).state == "queued"  # type: ignore[union-attr]
