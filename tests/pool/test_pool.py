"""What serves a request that comes to a pool, and that it is served as by a worker that its caller starts."""

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from agent_workers.simulator import Simulator
from tests.e2e.desk import Desk, call, give
from tests.e2e.test_app_tools import FIND
from tests.e2e.worker import Home
from tests.pool.served import ServedPool
from tests.waiting import until

Serve = Callable[..., ServedPool]
_VARYING = ("run", "seq", "ts", "session_id", "duration_ms", "delay_ms", "warm")


def told(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events without what differs from run to run."""
    said = [event for event in events if event["type"] != "ping"]  # a busy machine is silent now and then
    return [{name: value for name, value in event.items() if name not in _VARYING} for event in said]


_REQUESTS: list[dict[str, Any]] = [
    {"prompt": "Hello"},
    {
        "prompt": "Hello",
        "system_prompt": "You are brief.",
        "metadata": {"a": [1]},
        "session_owner": "ada",
        "attempt": 2,
    },
    {"prompt": "Rate. [[scenario:structured-output]]", "output_schema": {"type": "object"}},
    {"prompt": [{"type": "text", "text": "/help @notes.txt"}]},
    {"prompt": "Go. [[scenario:thinking]]"},
    {"prompt": "Go. [[scenario:server-error-then-ok]]"},
    {"prompt": "Go. [[scenario:bad-request-400]]"},
]


def test_an_agent_started_ahead_answers_as_one_that_is_started_for_the_request(
    serve: Serve, home: Home, simulator: Simulator
) -> None:
    pool = serve("--min-idle", "1", "--max-live", "0")
    for request in _REQUESTS:
        asked = len(simulator.requests("/v1/messages"))
        alone = home.run(request, "--control", after=b"\n")
        asked_alone = [_asked(record.body) for record in simulator.requests("/v1/messages")[asked:]]
        pool.wait_for("idle", 1)
        warm = pool.run(request)
        asked_warm = [_asked(record.body) for record in simulator.requests("/v1/messages")[asked + len(asked_alone) :]]
        assert (warm.events[0]["warm"], warm.status) == ("warm", alone.status), request
        assert told(warm.events) == told(alone.events)
        assert asked_warm == asked_alone


def _asked(body: Any) -> Any:
    return {name: value for name, value in body.items() if name != "metadata"}


@pytest.mark.parametrize(
    ("request_", "hello", "why"),
    [
        ({"prompt": "Hi", "model": "claude-x"}, {}, "model"),
        ({"prompt": "Hi", "limits": {"max_budget_usd": 1}}, {}, "max_budget_usd"),
        ({"prompt": "Hi", "session": {"id": "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34"}}, {}, "session"),
        ({"prompt": "Hi", "stream": {"partial": False}}, {}, "include-partial-messages"),
        ({"prompt": "Hi", "max_turns": 3}, {}, "max-turns"),
        ({"prompt": "Hi", "app_tools": []}, {}, None),
        ({"prompt": "Hi", "cwd": "/", "tools": ["Read"]}, {"worker": "agent-task"}, "worker"),
    ],
)
def test_what_an_agent_that_is_up_cannot_be_told_is_started_cold_and_the_pool_says_why(
    shared: ServedPool, request_: dict[str, Any], hello: dict[str, Any], why: str | None
) -> None:
    shared.wait_for("idle", 1)
    before = shared.status["pools"]["default"]["cold"]
    run = shared.run(request_, **hello)
    assert (run.events[0]["warm"], run.last["type"], run.status) == ("cold" if why else "warm", "done", 0)
    assert shared.status["pools"]["default"]["cold"] == before | ({why: 1} if why else {})


def test_a_request_of_several_lines_comes_by_its_size(shared: ServedPool) -> None:
    request = json.dumps({"prompt": "Hello"}, indent=2).encode()
    client = shared.connect()
    client.send({"pool": 1, "worker": "agent-chat", "size": len(request)})
    client.write(request)
    run = client.end()
    assert (run.last["type"], run.status) == ("done", 0)


@pytest.mark.parametrize(
    ("first", "code"),
    [
        (b"{}\n", "invalid_request"),
        (b"[]\n", "invalid_request"),
        (b"hello\n", "invalid_request"),
        (b'{"pool": 2, "worker": "agent-chat"}\n', "invalid_request"),
        (b'{"pool": 1, "worker": "agent-smith"}\n', "invalid_request"),
        (b'{"pool": 1, "worker": "agent-chat", "size": -1}\n', "invalid_request"),
        (b'{"pool": 1, "worker": "agent-chat", "size": 999999999}\n', "invalid_request"),
        (b'{"pool": 1, "worker": "agent-chat", "name": "haiku"}\n{"prompt": "Hi"}\n', "invalid_request"),
        (b'{"pool": 1, "worker": "agent-chat"}\n{"promt": "Hi"}\n', "invalid_request"),
        (b'{"pool": 1, "worker": "agent-chat"}\nnonsense\n', "invalid_request"),
        (b"[" * 70_000, "invalid_request"),
    ],
)
def test_what_is_not_by_the_protocol_is_refused_in_the_form_of_a_run(
    shared: ServedPool, first: bytes, code: str
) -> None:
    client = shared.connect()
    client.write(first)
    assert client.end().ending == (code, 2)


def test_a_signal_of_the_client_aborts_the_run_as_a_signal_does(shared: ServedPool) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        client = shared.ask({"prompt": "Go. [[scenario:slow]]"})
        client.wait_for("delta")
        client.send({"pool": 1, "signal": number})
        run = client.end()
        assert (run.last["type"], run.last["reason"], run.status) == ("aborted", "signal", 3)


def test_control_messages_reach_the_run_and_are_answered(shared: ServedPool) -> None:
    client = shared.ask({"prompt": "Go. [[scenario:slow]]"})
    client.wait_for("delta")
    client.send({"type": "permission", "id": "p", "decision": "allow"}, {"type": "abort", "id": "a"})
    run = client.end()
    assert [(ack["id"], ack["ok"]) for ack in run.of("ack")] == [("p", False), ("a", True)]
    assert (run.last["reason"], run.status) == ("client", 3)


def test_without_control_other_lines_are_not_obeyed(shared: ServedPool) -> None:
    client = shared.ask({"prompt": "Go. [[scenario:slow]]"}, control=False)
    client.wait_for("delta")
    client.send({"type": "abort", "id": "a"}, {"pool": 1, "signal": 15})
    run = client.end()
    assert (run.of("ack"), run.last["reason"]) == ([], "signal")


def test_a_client_that_goes_away_ends_its_run_and_nothing_is_left(serve: Serve, home: Home) -> None:
    pool = serve("--min-idle", "0", "--max-live", "0")
    for control in (True, False):
        client = pool.ask({"prompt": "Go. [[scenario:stall-mid-stream]]"}, control=control)
        client.wait_for("delta")
        client.close()
        until(lambda: pool.status["processes"] == 0, what=lambda: pool.log)


def test_a_run_goes_on_when_the_settings_are_read_anew_and_the_next_ones_have_them(
    serve: Serve, home: Home, simulator: Simulator
) -> None:
    config = home.root / "pool.toml"
    config.write_text("[pool.default]\nmin_idle = 1\n", "utf-8")
    pool = serve("--config", str(config))
    Desk(home, simulator).script(call("mcp__app__find_partner", name="Acme"), end="Found.")
    client = pool.ask({"prompt": "Who?", "app_tools": [FIND]})
    asked = client.wait_for("app_tool_call")
    simulator.play("hello")
    config.write_text('[pool.other]\nmin_idle = 2\nmodel = "claude-x"\nmax_live = 0\n', "utf-8")
    pool.signal(signal.SIGHUP)
    until(lambda: list(pool.status["pools"]) == ["other"], what=lambda: pool.log)
    pool.wait_for("idle", 2, "other")
    assert pool.run({"prompt": "Hi", "model": "claude-x"}).events[0]["warm"] == "warm"
    client.send(give(asked, "Berlin"))
    assert client.end().last["type"] == "done"
    config.write_text("[pool.other]\nmin_idel = 2\n", "utf-8")
    pool.signal(signal.SIGHUP)
    until(lambda: "min_idel is not a known key" in pool.log or "min_idel" in pool.log, what=lambda: pool.log)
    assert list(pool.status["pools"]) == ["other"]


def test_a_pool_that_is_stopped_lets_runs_end_within_their_time_and_stops_the_others(serve: Serve, home: Home) -> None:
    config = home.root / "pool.toml"
    config.write_text("stop_s = 1.0\n[pool.default]\nmin_idle = 1\n", "utf-8")
    pool = serve("--config", str(config))
    client = pool.ask({"prompt": "Go. [[scenario:stall-mid-stream]]"})
    client.wait_for("delta")
    assert pool.stop() == 0
    run = client.end()
    assert (run.last["type"], run.last["reason"], run.status) == ("aborted", "signal", 3)
    assert not pool.path.exists()


def test_figures_are_there_as_prometheus_reads_them(serve: Serve) -> None:
    pool = serve("--min-idle", "1", "--max-live", "0")
    pool.wait_for("idle", 1)
    pool.run({"prompt": "Hello"})
    until(lambda: pool.status["pools"]["default"]["ended"])
    client = pool.connect()
    client.write(b"GET /metrics HTTP/1.1\r\nHost: pool\r\n\r\n")
    head, _, text = client.connection.makefile("rb").read().decode().partition("\r\n\r\n")
    client.close()
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert 'agent_workers_pool_served_total{pool="default",warm="warm"} 1' in text.splitlines()
    assert 'agent_workers_pool_first_delta_seconds_count{pool="default",warm="warm"} 1' in text.splitlines()
