"""A conversation's next message goes to the agent that gave its last answer, where nothing differs."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

from agent_workers.simulator import Simulator
from tests.e2e.desk import Desk, call, give
from tests.e2e.test_app_tools import FIND
from tests.e2e.worker import Home
from tests.pool.served import ServedPool, kill, members_of
from tests.waiting import until

Serve = Callable[..., ServedPool]


def then(run: Any, prompt: str = "And then? [[scenario:memory]]", **fields: object) -> dict[str, Any]:
    """The next message of a run's conversation."""
    return {"prompt": prompt, "session": {"resume": run.last["session_id"]}, **fields}


def test_the_next_message_of_a_conversation_finds_its_agent(serve: Serve) -> None:
    pool = serve("--min-idle", "1")
    run = pool.run({"prompt": "My name is Ada. [[scenario:memory]]"})
    ways = []
    for _ in range(3):
        session, run = run.last["session_id"], pool.run(then(run))
        ways.append(run.events[0]["warm"])
        assert (run.last["type"], run.last["session_id"], run.of("session")[0]["resumed"]) == ("done", session, True)
    assert ways == ["live"] * 3
    assert pool.number("live") == 1


@pytest.mark.parametrize(
    ("first", "fields", "why"),
    [
        ({}, {"system_prompt": "Be brief."}, "system_prompt"),
        ({}, {"model": "claude-x"}, "model"),
        ({}, {"limits": {"max_budget_usd": 1}}, "max-budget-usd"),
        ({"session_owner": "ada"}, {}, None),
        ({}, {"max_turns": 2}, "max-turns"),
    ],
)
def test_a_message_with_other_settings_ends_the_agent_first_and_is_resumed(
    serve: Serve, first: dict[str, Any], fields: dict[str, Any], why: str | None
) -> None:
    pool = serve("--min-idle", "0")
    run = pool.run({"prompt": "Hi. [[scenario:memory]]", **first})
    pool.wait_for("live", 1)
    second = pool.run(then(run, **fields))
    if why is None:  # another owner: the conversation is not theirs
        assert second.ending == ("session_not_found", 1)
        return
    assert (second.events[0]["warm"], second.last["type"]) == ("cold", "done")
    assert pool.status["pools"]["default"]["cold"][why] == 1


def test_a_worker_outside_the_pool_gets_the_conversation_and_so_does_the_pool_again(serve: Serve, home: Home) -> None:
    pool = serve("--min-idle", "0")
    first = pool.run({"prompt": "Hi. [[scenario:memory]]"})
    pool.wait_for("live", 1)
    outside = home.run(then(first))
    assert outside.last["type"] == "done"
    pool.wait_for("live", 0)
    third = pool.run(then(first))
    assert (third.events[0]["warm"], third.last["type"]) == ("cold", "done")
    assert pool.run(then(third)).events[0]["warm"] == "live"


def test_a_fork_of_a_live_conversation_leaves_it_as_it_is(serve: Serve) -> None:
    pool = serve("--min-idle", "0")
    first = pool.run({"prompt": "Hi. [[scenario:memory]]"})
    request = then(first)
    request["session"]["fork"] = True
    fork = pool.run(request)
    assert fork.last["type"] == "done"
    assert fork.last["session_id"] != first.last["session_id"]
    assert pool.run(then(first)).last["type"] == "done"


def test_two_messages_at_once_are_never_two_writers(serve: Serve, home: Home, simulator: Simulator) -> None:
    pool = serve("--min-idle", "0")
    Desk(home, simulator).script(call("mcp__app__find_partner", name="Acme"), end="Found.")
    one = pool.ask({"prompt": "Who?", "app_tools": [FIND]})
    session = one.wait_for("session")["session_id"]
    asked = one.wait_for("app_tool_call")
    second = pool.run({"prompt": "And?", "session": {"resume": session}})
    assert second.ending == ("session_busy", 75)
    one.send(give(asked, "Berlin"))
    assert one.end().last["text"] == "Found."


def test_those_that_were_used_least_recently_go_first_and_none_stays_longer_than_it_may(serve: Serve) -> None:
    pool = serve("--min-idle", "0", "--max-live", "2", "--keep-s", "300")
    runs = [pool.run({"prompt": f"Hi {number}. [[scenario:memory]]"}) for number in range(2)]
    runs[0] = pool.run(then(runs[0]))
    runs.append(pool.run({"prompt": "Hi 2. [[scenario:memory]]"}))
    pool.wait_for("live", 2)
    assert [pool.run(then(runs[number])).events[0]["warm"] for number in (0, 2, 1)] == ["live", "live", "cold"]
    assert pool.stop() == 0
    brief = serve("--min-idle", "0", "--keep-s", "0.5")
    brief.run({"prompt": "Hi. [[scenario:memory]]"})
    until(lambda: brief.status["processes"] == 0, what=lambda: brief.log)


def test_what_ended_in_an_error_or_was_aborted_is_not_kept(serve: Serve) -> None:
    pool = serve("--min-idle", "0")
    pool.run({"prompt": "Go. [[scenario:bad-request-400]]"})
    client = pool.ask({"prompt": "Go. [[scenario:slow]]"})
    client.wait_for("delta")
    client.send({"type": "abort", "id": "a"})
    client.end()
    until(lambda: pool.status["processes"] == 0, what=lambda: pool.log)


def test_a_policy_that_has_changed_ends_the_agent(serve: Serve, home: Home) -> None:
    policy = home.root / "policy.toml"
    policy.write_text("version = 1\n", "utf-8")
    pool = serve("--min-idle", "0", env={"AGENT_WORKERS_POLICY": str(policy)})
    first = pool.run({"prompt": "Hi. [[scenario:memory]]"})
    policy.write_text('version = 1\nworkers = ["agent-chat"]\n', "utf-8")
    second = pool.run(then(first))
    assert (second.events[0]["warm"], second.last["type"]) == ("cold", "done")
    policy.write_text('version = 1\nworkers = ["agent-task"]\n', "utf-8")
    assert pool.run(then(second)).ending == ("policy_denied", 2)


def test_a_live_agent_that_is_killed_is_not_missed(serve: Serve, simulator: Simulator) -> None:
    pool = serve("--min-idle", "0")
    first = pool.run({"prompt": "Hi. [[scenario:memory]]"})
    pool.wait_for("live", 1)
    for pid in members_of(pool, "live"):
        kill(pid, signal.SIGKILL)
    second = pool.run(then(first))
    assert (second.events[0]["warm"], second.last["type"]) == ("cold", "done")


def test_a_stranger_gets_nothing_of_a_conversation_and_ends_no_agent(serve: Serve) -> None:
    pool = serve("--min-idle", "0")
    first = pool.run({"prompt": "Hi. [[scenario:memory]]", "session_owner": "ada"})
    pool.wait_for("live", 1)
    for owner in ({"session_owner": "bob"}, {}):
        assert pool.run(then(first, **owner)).ending == ("session_not_found", 1)
    second = pool.run(then(first, session_owner="ada"))
    assert (second.events[0]["warm"], second.last["type"]) == ("live", "done")


def test_a_message_that_names_no_model_finds_the_agent_of_its_conversation_in_any_pool(
    serve: Serve, home: Home
) -> None:
    config = home.root / "pool.toml"
    config.write_text('[pool.default]\nmin_idle = 0\n[pool.dear]\nmodel = "claude-dear"\nmin_idle = 0\n', "utf-8")
    pool = serve("--config", str(config))
    first = pool.run({"prompt": "Hi. [[scenario:memory]]", "model": "claude-dear"})
    pool.wait_for("live", 1, "dear")
    second = pool.run(then(first))
    assert (second.events[0]["warm"], second.of("session")[0]["model"]) == ("live", "claude-dear")
