"""A run that brings its own key to a pool: it alone uses that key, and the key goes on to nobody."""

from collections.abc import Callable

import pytest

from agent_workers.simulator import Simulator, journal
from tests.e2e.worker import Home, command_of, environ_of
from tests.pool.served import ServedPool

Serve = Callable[..., ServedPool]
KEY = "sk-ant-api03-own-key"


@pytest.fixture
def shown(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """A model whose journal shows the keys."""
    monkeypatch.setattr(journal, "_SECRETS", frozenset())
    simulator.play("memory")
    return simulator


@pytest.mark.parametrize("engine", ["agent", "messages"])
def test_a_conversation_changes_from_key_to_key_and_each_run_uses_its_own(
    serve: Serve, shown: Simulator, engine: str
) -> None:
    pool = serve("--min-idle", "1")
    pool.wait_for("idle", 1)
    ask = {"prompt": "Hello", "engine": engine}
    runs = [pool.run(ask, credential=KEY)]
    session = {"session": {"resume": runs[0].last["session_id"]}}
    runs += [pool.run({**ask, **session}, **hello) for hello in ({}, {"credential": f"{KEY}-2"}, {})]
    assert [run.ending for run in runs] == [("done", 0)] * 4
    assert [run.events[0]["warm"] for run in (runs[0], runs[2])] == ["cold", "cold"]
    assert runs[-1].last["text"].startswith("You sent 4 prompts.")
    calls = [record.headers["x-api-key"] for record in shown.requests("/v1/messages")]
    assert calls == [KEY, "key-canary", f"{KEY}-2", "key-canary"]


def test_a_key_that_comes_to_a_pool_is_seen_nowhere(serve: Serve, home: Home, shown: Simulator) -> None:
    shown.play("slow")
    pool = serve("--min-idle", "1", env={"AGENT_WORKERS_LOG": "debug"})
    client = pool.ask({"prompt": "Hello"}, credential=KEY)
    client.wait_for("delta")
    seen = b"".join(command_of(pid) + b"\0".join(environ_of(pid)) for pid in home.processes())
    assert KEY.encode() not in seen
    assert KEY not in str(pool.status) + pool.log
    client.send({"type": "abort", "id": "1"})
    assert client.end(whole=False).ending == ("aborted", 3)
    assert KEY not in pool.log


def test_a_pool_whose_policy_forbids_keys_of_callers_takes_none(serve: Serve, home: Home, shown: Simulator) -> None:
    policy = home.root / "policy.toml"
    policy.write_text("version = 1\n[credentials]\nown = false\n", "utf-8")
    run = serve(env={"AGENT_WORKERS_POLICY": str(policy)}).run({"prompt": "Hello"}, credential=KEY)
    assert run.ending == ("policy_denied", 2)
    assert shown.requests() == []
