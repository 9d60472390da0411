"""One session, one writer, also between processes that know nothing of each other; and how long the other is at it."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from agent_workers.simulator import Simulator
from tests.e2e.engines import AGENT, MESSAGES
from tests.e2e.worker import Ended, Home, Running
from tests.skills.making import DEAL, make_skill
from tests.waiting import PATIENCE_S


class Worker(NamedTuple):
    """A worker with one of its engines, and a request for it."""

    name: str
    engine: str
    request: Callable[[Home], dict[str, Any]]


def _task(home: Home) -> dict[str, Any]:
    (home.root / "work").mkdir(exist_ok=True)
    return {"prompt": "Hello", "cwd": str(home.root / "work")}


def _skill(home: Home) -> dict[str, Any]:
    if not (home.root / "skills").exists():
        make_skill(home.root / "skills")
    home.environ["AGENT_WORKERS_SKILLS_PATH"] = str(home.root / "skills")
    return {"skill": "score", "input": DEAL}


WORKERS = [
    Worker("agent-chat", AGENT, lambda home: {"prompt": "Hello"}),
    Worker("agent-chat", MESSAGES, lambda home: {"prompt": "Hello"}),
    Worker("agent-task", AGENT, _task),
    Worker("agent-skill", AGENT, _skill),
    Worker("agent-skill", MESSAGES, _skill),
]


@pytest.fixture(params=WORKERS, ids=lambda worker: f"{worker.name} {worker.engine}")
def worker(request: pytest.FixtureRequest) -> Worker:
    return request.param  # type: ignore[no-any-return]


def ask(home: Home, worker: Worker, session: dict[str, Any]) -> dict[str, Any]:
    return {**worker.request(home), "engine": worker.engine, "session": session}


@contextmanager
def at_work(home: Home, worker: Worker, session: dict[str, Any]) -> Iterator[Running]:
    """A process of the worker that has the session, until the block is left."""
    request = ask(home, worker, session)
    running = home.start("--control", worker=worker.name)
    running.send(request)
    running.wait_for("session", "error")
    yield running
    running.send({"type": "abort", "id": "1"})
    assert running.end().ending == ("aborted", 3)


def test_a_second_process_is_told_how_long_the_first_has_been_at_work(
    home: Home, simulator: Simulator, worker: Worker
) -> None:
    simulator.play("slow")
    begun = {"id": str(uuid.uuid4())}
    resume = {"resume": begun["id"]}
    with at_work(home, worker, begun):
        told = [_busy_ms(home.run(ask(home, worker, each), worker=worker.name)) for each in (begun, resume)]
        assert 0 < told[0] < told[1] < 10 * PATIENCE_S * 1000
    with at_work(home, worker, resume):
        again = _busy_ms(home.run(ask(home, worker, resume), worker=worker.name))
        with at_work(home, worker, {**resume, "fork": True}):
            later = _busy_ms(home.run(ask(home, worker, resume), worker=worker.name))
        assert 0 < again < later < 10 * PATIENCE_S * 1000


def _busy_ms(ended: Ended) -> int:
    """What a run is told that finds its session busy: for how long the other has been at work."""
    assert (ended.ending, ended.last["retryable"]) == (("session_busy", 75), True)
    busy_ms: int = ended.last["busy_ms"]
    assert f"another run has been at work in the session for {busy_ms / 1000:.1f} s" in ended.stderr
    assert "session_id" not in ended.last
    return busy_ms


def test_of_two_processes_that_begin_at_once_one_has_the_session(
    home: Home, simulator: Simulator, worker: Worker
) -> None:
    simulator.play("slow")
    request = ask(home, worker, {"id": str(uuid.uuid4())})
    runs = [home.start("--control", worker=worker.name) for _ in range(2)]
    for running in runs:
        running.send(request)
    for running in runs:
        running.wait_for("session", "error")
    busy = [running for running in runs if b'"session_busy"' in running.output]
    assert len(busy) == 1
    assert busy[0].end().last["busy_ms"] < PATIENCE_S * 1000
    [writer] = [running for running in runs if running not in busy]
    writer.send({"type": "abort", "id": "1"})
    assert writer.end().ending == ("aborted", 3)
