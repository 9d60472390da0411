"""Conversations over several runs."""

import uuid

import pytest

from agent_workers.simulator import Simulator

from .worker import Ended, Home


@pytest.fixture
def memory(simulator: Simulator) -> Simulator:
    """The model says how much of the conversation it sees."""
    simulator.play("memory")
    return simulator


def test_a_session_goes_on_in_another_process(home: Home, memory: Simulator) -> None:
    first = home.run({"prompt": "My name is Ada."})
    second = home.run({"prompt": "What is my name?", "session": {"resume": first.last["session_id"]}})
    third = home.run({"prompt": "And again?", "session": {"resume": second.last["session_id"]}})
    assert second.last["text"] == "You sent 2 prompts. The first was: My name is Ada."
    assert third.last["text"] == "You sent 3 prompts. The first was: My name is Ada."
    assert {first.last["session_id"], second.last["session_id"], third.last["session_id"]} == {_session(first)}
    assert [run.of("session")[0]["resumed"] for run in (first, second, third)] == [False, True, True]


def test_a_fork_leaves_the_original_as_it_was(home: Home, memory: Simulator) -> None:
    first = home.run({"prompt": "My name is Ada."})
    fork = home.run({"prompt": "I am Bob.", "session": {"resume": _session(first), "fork": True}})
    again = home.run({"prompt": "Go on.", "session": {"resume": _session(first)}})
    assert _session(fork) != _session(first)
    assert fork.last["text"].startswith("You sent 2 prompts.")
    assert again.last["text"].startswith("You sent 2 prompts.")


def test_the_caller_may_choose_the_id_of_a_new_session_once(home: Home, memory: Simulator) -> None:
    chosen = str(uuid.uuid4())
    first = home.run({"prompt": "My name is Ada.", "session": {"id": chosen}})
    again = home.run({"prompt": "Me too.", "session": {"id": chosen}})
    assert first.last["session_id"] == _session(first) == chosen
    assert first.of("session")[0]["resumed"] is False
    assert again.ending == ("session_exists", 1)
    assert again.last["retryable"] is False


def test_an_unknown_session_is_not_found(home: Home, memory: Simulator) -> None:
    request = {"prompt": "x", "session": {"resume": str(uuid.uuid4())}, "metadata": {"order": 4711}}
    ended = home.run(request)
    assert ended.ending == ("session_not_found", 1)
    assert ended.last["retryable"] is False
    assert ended.last["metadata"] == {"order": 4711}
    assert memory.requests("/v1/messages") == []


def test_runs_without_a_session_know_nothing_of_each_other(home: Home, memory: Simulator) -> None:
    first = home.run({"prompt": "My name is Ada."})
    second = home.run({"prompt": "What is my name?"})
    assert _session(first) != _session(second)
    assert second.last["text"] == "You sent 1 prompts. The first was: What is my name?"


def test_a_stopped_run_can_be_resumed(home: Home, memory: Simulator) -> None:
    """What was asked is in the session, though the answer was cut off."""
    memory.play("slow")
    running = home.start("--control")
    running.send({"prompt": "My name is Ada."})
    running.wait_for("delta")
    running.send({"type": "abort", "id": "1"})
    stopped = running.end()
    memory.play("memory")
    ended = home.run({"prompt": "What is my name?", "session": {"resume": stopped.last["session_id"]}})
    assert ended.last["text"].endswith("The first was: My name is Ada.")


def _session(ended: Ended) -> str:
    return str(ended.of("session")[0]["session_id"])
