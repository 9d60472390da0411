"""Approvals in two runs: the first ends with a call pending, the second brings the decision. Nothing runs unasked."""

from typing import Any

import pytest

from tests.e2e.beginning import Begin
from tests.e2e.desk import Desk, bash, call
from tests.e2e.worker import Ended, encoded

pytestmark = pytest.mark.usefixtures("loaded")
DEFER = {"mode": "defer"}


def pending_of(desk: Desk, *turns: Any, **fields: Any) -> Ended:
    desk.script(*turns)
    ended = desk.run(**{"tools": ["Bash"], "permissions": DEFER, **fields})
    assert ended.ending == ("done", 0)
    assert ended.last["stop_reason"] == "permission_required"
    return ended


@pytest.fixture
def first(begin: Begin) -> Ended:
    """A run that has ended with a call that waits."""
    return begin("a call waits", lambda desk: pending_of(desk, bash("touch made")))


def resume(
    desk: Desk, first: Ended, behavior: str = "allow", *, allow: tuple[str, ...] | list[str] = (), **more: Any
) -> Ended:
    """Runs the second run; what is no part of the decision goes into its request."""
    desk.script(*more.pop("turns", ()), end="So be it.")
    decision = {"tool_use_id": first.last["pending"]["tool_use_id"], "behavior": behavior}
    decision |= {name: more.pop(name) for name in ("message", "updated_input", "tool_use_id") if name in more}
    permissions = {**DEFER, "decision": decision, "allow": list(allow)}
    fields = {"tools": ["Bash"], "session": {"resume": first.last["session_id"]}, **more}
    return desk.run(prompt="Go on.", permissions=permissions, **fields)


def test_a_run_ends_with_the_call_that_waits(desk: Desk, first: Ended) -> None:
    [called] = first.of("tool_call")
    assert first.last["pending"] == {key: called[key] for key in ("tool_use_id", "name", "input")}
    assert list(desk.cwd.iterdir()) == []


def test_an_allowed_call_runs_in_the_next_run_which_goes_on(desk: Desk, first: Ended) -> None:
    ended = resume(desk, first)
    assert ended.ending == ("done", 0)
    assert (desk.cwd / "made").exists()
    assert [event["status"] for event in ended.of("tool_result")] == ["ok"]
    assert ended.of("tool_call")[0]["tool_use_id"] == first.last["pending"]["tool_use_id"]
    assert [event["behavior"] for event in ended.of("permission_resolved")] == ["allow"]
    assert ended.last["text"] == "So be it.\n\nSo be it."  # of the call, and of the prompt
    said = str(desk.simulator.requests("/v1/messages")[-1].body["messages"])
    assert "Go on." in said


def test_a_denied_call_does_not_run_and_the_model_is_told_why(desk: Desk, first: Ended) -> None:
    ended = resume(desk, first, "deny", message="Not on Fridays.")
    assert ended.ending == ("done", 0)
    assert ended.of("tool_result")[0]["status"] == "denied"
    assert "Not on Fridays." in desk.told_to_the_model()[0]
    assert list(desk.cwd.iterdir()) == []


def test_the_input_can_be_changed_with_the_decision(desk: Desk, first: Ended) -> None:
    changed = {"command": "touch better", "description": "d"}
    resume(desk, first, updated_input=changed)
    assert [path.name for path in desk.cwd.iterdir()] == ["better"]


def test_a_decision_for_another_call_allows_nothing(desk: Desk, first: Ended) -> None:
    ended = resume(desk, first, tool_use_id="toolu_other")
    assert ended.ending == ("done", 0)
    assert list(desk.cwd.iterdir()) == []
    assert ended.of("notice")[0]["code"] == "decision_unused"


def test_a_decision_is_used_once(desk: Desk, first: Ended) -> None:
    resume(desk, first)
    (desk.cwd / "made").unlink()
    ended = resume(desk, first)
    assert list(desk.cwd.iterdir()) == []
    assert ended.of("notice")[0]["code"] == "decision_unused"


@pytest.mark.parametrize("mode", ["defer", "deny", "plan"])
def test_a_session_that_goes_on_without_a_decision_denies_the_call(desk: Desk, first: Ended, mode: str) -> None:
    desk.script(end="So be it.")
    session = {"resume": first.last["session_id"]}
    ended = desk.run(prompt="Go on.", tools=["Bash"], permissions={"mode": mode}, session=session)
    assert ended.last["text"] == "So be it.\n\nSo be it."
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


def test_a_deny_rule_holds_against_the_decision(desk: Desk, first: Ended) -> None:
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


@pytest.mark.parametrize("harmless", [bash("cat a"), call("Read", file_path="a"), call("Glob", pattern="*")], ids=str)
def test_a_call_that_the_agent_takes_for_harmless_is_denied_all_the_same(desk: Desk, harmless: Any) -> None:
    desk.file("a", "content-a")
    tools = ["Bash", "Read", "Glob"]
    first = pending_of(desk, harmless, tools=tools)
    ended = resume(desk, first, "deny", message="Not now.", tools=tools)
    assert [event["status"] for event in ended.of("tool_result")] == ["denied"]
    assert "Not now." in desk.told_to_the_model()[0]
    assert "content-a" not in str(ended.events)
    assert ended.of("notice") == []


def test_a_denial_holds_against_an_allow_rule_of_the_later_run(desk: Desk, first: Ended) -> None:
    resume(desk, first, "deny", allow=["Bash"])
    assert list(desk.cwd.iterdir()) == []


def test_a_changed_input_is_used_also_where_a_rule_would_allow_the_call(desk: Desk) -> None:
    first = pending_of(desk, bash("touch meant"))
    resume(desk, first, updated_input={"command": "touch better", "description": "d"}, allow=["Bash"])
    assert [path.name for path in desk.cwd.iterdir()] == ["better"]


def test_of_several_runs_with_the_same_decision_one_carries_it_out(desk: Desk) -> None:
    first = pending_of(desk, bash("date +%N >> made"))
    desk.script(end="So be it.")
    decision = {"tool_use_id": first.last["pending"]["tool_use_id"], "behavior": "allow"}
    permissions = {**DEFER, "decision": decision}
    request = desk.request(tools=["Bash"], permissions=permissions, session={"resume": first.last["session_id"]})
    desk.home.loaded = None  # as an application starts them
    runs = [desk.start() for _ in range(4)]
    for running in runs:
        running.write(encoded(request))
        running.end_input()
    assert {running.end().ending for running in runs} <= {("done", 0), ("session_busy", 75)}
    assert len((desk.cwd / "made").read_text().splitlines()) == 1


def test_a_decision_counts_in_the_directory_of_the_call_only(desk: Desk, first: Ended) -> None:
    other = desk.home.root / "other"
    other.mkdir()
    resume(desk, first, cwd=str(other))
    assert list(other.iterdir()) == []
    assert list(desk.cwd.iterdir()) == []


def test_a_decision_does_not_go_with_a_fork(desk: Desk, first: Ended) -> None:
    ended = resume(desk, first, session={"resume": first.last["session_id"], "fork": True})
    assert ended.ending == ("invalid_request", 2)
    assert [problem["pointer"] for problem in ended.last["details"]] == ["/session/fork"]


def test_a_session_whose_pending_tool_is_missing_is_not_worth_a_retry(desk: Desk, first: Ended) -> None:
    assert resume(desk, first, tools=["Read"]).ending == ("invalid_request", 1)
    assert resume(desk, first).ending == ("done", 0)
    assert (desk.cwd / "made").exists()


def test_an_allowed_file_tool_stays_in_its_directory_beside_a_decision(desk: Desk, first: Ended) -> None:
    desk.file("a", "content-a")
    reads = [call("Read", file_path="a"), call("Read", file_path="/etc/hostname"), call("Glob", pattern="/etc/host*")]
    ended = resume(desk, first, turns=[reads], tools=["Bash", "Read", "Glob"], allow=["Read", "Glob"])
    statuses = [event["status"] for event in ended.of("tool_result")]
    assert sorted(statuses) == ["denied", "denied", "ok", "ok"]


def test_an_input_changed_with_the_decision_is_held_to_the_rules(desk: Desk, first: Ended) -> None:
    desk.file("keep")
    desk.script(end="So be it.")
    decision = {"tool_use_id": first.last["pending"]["tool_use_id"], "behavior": "allow"}
    permissions = {**DEFER, "decision": {**decision, "updated_input": {"command": "rm keep"}}, "deny": ["Bash(rm:*)"]}
    session = {"resume": first.last["session_id"]}
    ended = desk.run(prompt="Go on.", tools=["Bash"], permissions=permissions, session=session)
    assert [event["status"] for event in ended.of("tool_result")] == ["denied"]
    assert [(event["behavior"], event["by"]) for event in ended.of("permission_resolved")] == [("deny", "policy")]
    assert [path.name for path in desk.cwd.iterdir()] == ["keep"]


def test_an_empty_input_is_no_decision(desk: Desk, first: Ended) -> None:
    ended = resume(desk, first, updated_input={})
    assert ended.ending == ("invalid_request", 2)
    assert [problem["pointer"] for problem in ended.last["details"]] == ["/permissions/decision/updated_input"]
    assert resume(desk, first).ending == ("done", 0)


@pytest.mark.usefixtures("loaded")
def test_one_call_after_the_other_waits_and_each_runs_once_it_is_allowed(desk: Desk, first: Ended) -> None:
    second = resume(desk, first, turns=(bash("touch two"),))
    assert second.last["pending"]["input"]["command"] == "touch two"
    assert [notice["code"] for notice in second.of("notice")] == ["prompt_unread"]
    third = resume(desk, second, turns=(bash("touch three"),))
    assert third.last["pending"]["input"]["command"] == "touch three"
    before = len(desk.simulator.requests("/v1/messages"))
    last = resume(desk, third)
    assert sorted(path.name for path in desk.cwd.iterdir()) == ["made", "three", "two"]
    assert (last.ending, last.of("notice")) == (("done", 0), [])
    assert last.last["turns"] == len(desk.simulator.requests("/v1/messages")) - before == 2


def test_the_prompt_is_answered_after_the_call_and_counts(desk: Desk, first: Ended) -> None:
    before = len(desk.simulator.requests("/v1/messages"))
    ended = resume(desk, first)
    calls = desk.simulator.requests("/v1/messages")[before:]
    assert "Go on." not in str(calls[0].body["messages"])
    assert "Go on." in str(calls[1].body["messages"][-1])
    assert len(calls) == ended.last["turns"] == 2
    [model] = ended.last["models"].values()
    assert model["output_tokens"] == ended.last["usage"]["output_tokens"]
