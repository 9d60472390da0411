"""Command lines of workers as clients of a pool: what they say and how they end is what a worker says and does."""

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from agent_workers.client import ProcessRunner
from agent_workers.simulator import Simulator, journal
from tests.e2e.worker import Ended, Running
from tests.pool.served import ServedPool, kill, members_of
from tests.pool.test_pool import told

Serve = Callable[..., ServedPool]
WITHOUT_KEY = ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL")
SLOW = {"prompt": "Go. [[scenario:slow]]"}


def pooled(pool: ServedPool, request: object, *arguments: str, **options: Any) -> Ended:
    """Runs a request by a command line that has neither key nor address of the API."""
    return pool.home.run(
        request, *arguments, env={"AGENT_WORKERS_POOL": str(pool.path)}, without=WITHOUT_KEY, **options
    )


def begun(pool: ServedPool, *arguments: str) -> Running:
    """A run whose answer has begun."""
    running = pool.home.start(*arguments, env={"AGENT_WORKERS_POOL": str(pool.path)}, without=WITHOUT_KEY)
    running.send(SLOW)
    if not arguments:
        running.end_input()
    running.wait_for("delta")
    return running


@pytest.mark.parametrize("arguments", [[], ["--control"]], ids=["plain", "control"])
@pytest.mark.parametrize(
    "request_",
    [
        b'{\n"prompt": "Hello",\n"metadata": {"a": [1]}}\n\n',
        b'{"prompt": "Go. [[scenario:unicode]]"}\n',
        b'{"prompt": "Go. [[scenario:bad-request-400]]"}\n',
        b'{"promt": "Hello"}\n',
        b"",
        b"nonsense\n",
    ],
)
def test_a_run_is_that_of_a_worker(shared: ServedPool, arguments: list[str], request_: bytes) -> None:
    line = request_.replace(b"\n", b"") + b"\n" if arguments and request_ else request_
    own, through = (_ended(shared, line, arguments, env=env) for env in ({}, {"AGENT_WORKERS_POOL": str(shared.path)}))
    assert told(through.events) == told(own.events)
    assert through.status == own.status


def _ended(pool: ServedPool, request: bytes, arguments: list[str], env: dict[str, str]) -> Ended:
    running = pool.home.start(*arguments, env=env)
    running.write(request)
    if not arguments or not request:
        running.end_input()
    return running.end()


def test_each_worker_finds_its_way(shared: ServedPool) -> None:
    tool = {"tool": "mcp__no__where"}
    skill = {"skill": "partner-health"}
    assert pooled(shared, {"prompt": "Hi", "cwd": "/"}, worker="agent-task").events[0]["worker"] == "agent-task"
    assert pooled(shared, tool, worker="agent-tool").ending == ("invalid_request", 2)
    assert pooled(shared, skill, worker="agent-skill").ending == ("invalid_request", 2)
    named = pooled(shared, b"{}", "partner-health", worker="agent-skill")
    assert {problem["pointer"] for problem in named.last["details"]} == {"/input"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("arguments", [(), ("--control",)], ids=["plain", "control"])
def test_a_stop_signal_ends_the_run(shared: ServedPool, number: int, arguments: tuple[str, ...]) -> None:
    running = begun(shared, *arguments)
    running.signal(number)
    ended = running.end()
    assert (*ended.ending, ended.last["reason"]) == ("aborted", 3, "signal")
    shared.wait_for("busy", 0)


@pytest.mark.parametrize("arguments", [(), ("--control",)], ids=["plain", "control"])
def test_a_client_that_is_killed_has_ended_the_run(shared: ServedPool, arguments: tuple[str, ...]) -> None:
    running = begun(shared, *arguments)
    running.signal(signal.SIGKILL)
    running.end(whole=False)
    shared.wait_for("busy", 0)


def test_a_caller_that_goes_ends_the_run(shared: ServedPool) -> None:
    running = begun(shared, "--control")
    running.end_input()
    ended = running.end()
    assert (*ended.ending, ended.last["reason"]) == ("aborted", 3, "parent_gone")


def test_a_worker_that_is_killed_is_told_of(shared: ServedPool) -> None:
    running = begun(shared)
    [pid] = members_of(shared, "busy")
    kill(pid)
    assert running.end().ending == ("worker_lost", 75)


def test_the_key_of_a_run_is_used_and_no_other(
    serve: Serve, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_SECRETS", frozenset())  # so that it shows the keys
    pool = serve("--min-idle", "0")
    ended = pooled(pool, b"key-of-the-run\n" + json.dumps({"prompt": "Hi"}).encode(), "--credential-fd=0")
    assert ended.ending == ("done", 0)
    assert {record.headers.get("x-api-key") for record in simulator.requests("/v1/messages")} == {"key-of-the-run"}
    assert "key-of-the-run" not in pool.log


def test_the_next_message_finds_the_agent_that_it_talked_to(serve: Serve) -> None:
    pool = serve("--min-idle", "1", "--max-live", "1")
    env = {name: value for name, value in pool.home.environ.items() if name not in WITHOUT_KEY}
    runner = ProcessRunner("agent-chat", "--pool", str(pool.path), env=env)
    first = runner.run({"prompt": "Hello"})
    pool.wait_for("live", 1)
    run = runner.stream({"prompt": "Again.", "session": {"resume": first.session_id}})
    assert [event["warm"] for event in run if event["type"] == "start"] == ["live"]
    assert run.result().session_id == first.session_id
