"""Approvals in two runs: the first ends with a call pending, the second brings the decision. Nothing runs unasked."""

from typing import Any

import pytest

from .desk import Desk, bash, call
from .worker import Ended

DEFER = {"mode": "defer"}


def pending_of(desk: Desk, *turns: Any, **fields: Any) -> Ended:
    desk.script(*turns)
    ended = desk.run(**{"tools": ["Bash"], "permissions": DEFER, **fields})
    assert ended.ending == ("done", 0)
    assert ended.last["stop_reason"] == "permission_required"
    return ended


def resume(desk: Desk, first: Ended, behavior: str = "allow", **more: Any) -> Ended:
    desk.script(end="So be it.")
    decision = {"tool_use_id": first.last["pending"]["tool_use_id"], "behavior": behavior, **more}
    session = {"resume": first.last["session_id"]}
    return desk.run(prompt="Go on.", tools=["Bash"], permissions={**DEFER, "decision": decision}, session=session)


def test_a_run_ends_with_the_call_that_waits(desk: Desk) -> None:
    ended = pending_of(desk, bash("touch made"))
    [called] = ended.of("tool_call")
    assert ended.last["pending"] == {key: called[key] for key in ("tool_use_id", "name", "input")}
    assert list(desk.cwd.iterdir()) == []


def test_an_allowed_call_runs_in_the_next_run_which_goes_on(desk: Desk) -> None:
    first = pending_of(desk, bash("touch made"))
    ended = resume(desk, first)
    assert ended.ending == ("done", 0)
    assert (desk.cwd / "made").exists()
    assert [event["status"] for event in ended.of("tool_result")] == ["ok"]
    assert ended.of("tool_call")[0]["tool_use_id"] == first.last["pending"]["tool_use_id"]
    assert [event["behavior"] for event in ended.of("permission_resolved")] == ["allow"]
    assert ended.last["text"] == "So be it."
    said = str(desk.simulator.requests("/v1/messages")[-1].body["messages"])
    assert "Go on." in said


def test_a_denied_call_does_not_run_and_the_model_is_told_why(desk: Desk) -> None:
    ended = resume(desk, pending_of(desk, bash("touch made")), "deny", message="Not on Fridays.")
    assert ended.ending == ("done", 0)
    assert ended.of("tool_result")[0]["status"] == "denied"
    assert "Not on Fridays." in desk.told_to_the_model()[0]
    assert list(desk.cwd.iterdir()) == []


def test_the_input_can_be_changed_with_the_decision(desk: Desk) -> None:
    changed = {"command": "touch better", "description": "d"}
    resume(desk, pending_of(desk, bash("touch made")), updated_input=changed)
    assert [path.name for path in desk.cwd.iterdir()] == ["better"]


def test_a_decision_for_another_call_allows_nothing(desk: Desk) -> None:
    ended = resume(desk, pending_of(desk, bash("touch made")), tool_use_id="toolu_other")
    assert ended.ending == ("done", 0)
    assert list(desk.cwd.iterdir()) == []
    assert ended.of("notice")[0]["code"] == "decision_unused"


def test_a_decision_is_used_once(desk: Desk) -> None:
    first = pending_of(desk, bash("touch made"))
    resume(desk, first)
    (desk.cwd / "made").unlink()
    ended = resume(desk, first)
    assert list(desk.cwd.iterdir()) == []
    assert ended.of("notice")[0]["code"] == "decision_unused"


@pytest.mark.parametrize("mode", ["defer", "deny", "plan"])
def test_a_session_that_goes_on_without_a_decision_denies_the_call(desk: Desk, mode: str) -> None:
    first = pending_of(desk, bash("touch made"))
    desk.script(end="So be it.")
    session = {"resume": first.last["session_id"]}
    ended = desk.run(prompt="Go on.", tools=["Bash"], permissions={"mode": mode}, session=session)
    assert ended.last["text"] == "So be it."
    assert list(desk.cwd.iterdir()) == []


def test_of_several_calls_at_once_one_waits_and_the_others_are_denied(desk: Desk) -> None:
    first = pending_of(desk, [bash("touch one"), bash("touch two"), bash("touch three")])
    assert first.last["pending"]["input"]["command"] == "touch one"
    assert [event["status"] for event in first.of("tool_result")] == ["denied", "denied"]
    resume(desk, first)
    assert [path.name for path in desk.cwd.iterdir()] == ["one"]


def test_files_that_are_read_at_once_wait_one_at_a_time_too(desk: Desk) -> None:
    desk.file("a", "content-a")
    first = pending_of(desk, [call("Read", file_path="a"), call("Read", file_path="a")], tools=["Read"])
    assert "content-a" not in str(first.events)


def test_a_whole_tool_that_is_allowed_does_not_wait(desk: Desk) -> None:
    desk.file("a", "content-a")
    turns = (call("Read", file_path="a"), bash("touch made"))
    first = pending_of(desk, *turns, tools=["Read", "Bash"], permissions={"mode": "defer", "allow": ["Read"]})
    assert [event["status"] for event in first.of("tool_result")] == ["ok"]
    assert first.last["pending"]["name"] == "Bash"


def test_a_deny_rule_holds_against_the_decision(desk: Desk) -> None:
    first = pending_of(desk, bash("touch made"))
    desk.script(end="So be it.")
    decision = {"tool_use_id": first.last["pending"]["tool_use_id"], "behavior": "allow"}
    permissions = {"mode": "defer", "decision": decision, "deny": ["Bash"]}
    session = {"resume": first.last["session_id"]}
    desk.run(prompt="Go on.", tools=["Bash"], permissions=permissions, session=session)
    assert list(desk.cwd.iterdir()) == []


def test_a_subagents_call_cannot_wait_and_is_denied(desk: Desk) -> None:
    prompt = "[[scenario:task-touch]] Go."
    desk.script(call("Agent", description="Touch", prompt=prompt, subagent_type="general-purpose"))
    ended = desk.run(tools=["Agent", "Bash"], permissions={"mode": "defer", "allow": ["Agent"]})
    assert ended.last["stop_reason"] == "end_turn"
    assert list(desk.cwd.iterdir()) == []


@pytest.mark.parametrize("mode", ["deny", "defer"])
def test_a_decision_that_concerns_no_session_is_refused(desk: Desk, mode: str) -> None:
    decision = {"tool_use_id": "toolu_1", "behavior": "allow"}
    ended = desk.run(tools=["Bash"], permissions={"mode": mode, "decision": decision})
    assert ended.ending == ("invalid_request", 2)
    assert "/permissions/decision" in {problem["pointer"] for problem in ended.last["details"]}
