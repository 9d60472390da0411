"""Approvals in two runs: the first ends with a call pending, the second brings the decision. Nothing runs unasked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent_workers.simulator.scenario import ToolUse
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
    """A run that has ended with a call that waits; what it makes tells how often it ran."""
    return begin("a call waits", lambda desk: pending_of(desk, bash("date +%N >> made")))


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


@dataclass(frozen=True)
class Allowed:
    """A session whose calls are allowed one after the other.

    Attributes:
        first: The run that ended with the first call.
        second: The run that brought that decision and ended with the second call.
        third: The run that then read files too and ended with the third call.
        last: The run that ended without a call.
        calls: The API's calls of the last run.
    """

    first: Ended
    second: Ended
    third: Ended
    last: Ended
    calls: list[Any]


@pytest.fixture
def allowed(begin: Begin) -> Allowed:
    return begin("calls were allowed", allowed_one_after_the_other)


def allowed_one_after_the_other(desk: Desk) -> Allowed:
    desk.file("a", "content-a")
    reads = [call("Read", file_path="a"), call("Read", file_path="/etc/hostname"), call("Glob", pattern="/etc/host*")]
    first = pending_of(desk, bash("date +%N >> made"))
    second = resume(desk, first, turns=(bash("touch two"),))
    tools = ["Bash", "Read", "Glob"]
    third = resume(desk, second, turns=(reads, bash("touch three")), tools=tools, allow=["Read", "Glob"])
    before = len(desk.simulator.requests("/v1/messages"))
    last = resume(desk, third)
    calls = [request.body["messages"] for request in desk.simulator.requests("/v1/messages")[before:]]
    return Allowed(first, second, third, last, calls)


def test_one_call_after_the_other_waits_and_each_runs_once_it_is_allowed(desk: Desk, allowed: Allowed) -> None:
    assert allowed.second.last["pending"]["input"]["command"] == "touch two"
    assert [notice["code"] for notice in allowed.second.of("notice")] == ["prompt_unread"]
    assert allowed.third.last["pending"]["input"]["command"] == "touch three"
    assert sorted(path.name for path in desk.cwd.iterdir()) == ["a", "made", "three", "two"]
    assert len((desk.cwd / "made").read_text().splitlines()) == 1
    assert (allowed.last.ending, allowed.last.of("notice")) == (("done", 0), [])


def test_an_allowed_call_runs_in_the_next_run_which_goes_on(desk: Desk, allowed: Allowed) -> None:
    before, ended = allowed.third, allowed.last
    assert ended.ending == ("done", 0)
    assert (desk.cwd / "three").exists()
    assert [event["status"] for event in ended.of("tool_result")] == ["ok"]
    assert ended.of("tool_call")[0]["tool_use_id"] == before.last["pending"]["tool_use_id"]
    assert [event["behavior"] for event in ended.of("permission_resolved")] == ["allow"]
    assert ended.last["text"] == "So be it.\n\nSo be it."  # of the call, and of the prompt


def test_the_prompt_is_answered_after_the_call_and_counts(allowed: Allowed) -> None:
    of_the_call, of_the_prompt = allowed.calls
    # The prompts of the runs before were not read.
    assert "Go on." not in str(of_the_call)
    assert "Go on." in str(of_the_prompt[-1])
    assert allowed.last.last["turns"] == 2
    [model] = allowed.last.last["models"].values()
    assert model["output_tokens"] == allowed.last.last["usage"]["output_tokens"]


def test_an_allowed_file_tool_stays_in_its_directory_beside_a_decision(allowed: Allowed) -> None:
    statuses = [event["status"] for event in allowed.third.of("tool_result")]
    assert sorted(statuses) == ["denied", "denied", "ok", "ok"]


def test_a_decision_is_used_once(desk: Desk, allowed: Allowed) -> None:
    (desk.cwd / "three").unlink()
    ended = resume(desk, allowed.third)
    assert not (desk.cwd / "three").exists()
    assert ended.of("notice")[0]["code"] == "decision_unused"


HARMLESS = (bash("cat a"), call("Read", file_path="a"), call("Glob", pattern="*"))


def denied_one_after_the_other(desk: Desk) -> tuple[list[Ended], list[str]]:
    """Runs that each bring a denial; and what the model was told of it."""
    desk.file("a", "content-a")
    ended, runs, told = pending_of(desk, bash("touch made")), [], []
    for number, following in enumerate([*HARMLESS, None]):
        turns = (following,) if following else ()
        ended = resume(
            desk, ended, "deny", message=f"Not on day {number}.", turns=turns, tools=["Bash", "Read", "Glob"]
        )
        runs.append(ended)
        told.append(desk.told_to_the_model()[number])
    return runs, told


def test_a_denied_call_does_not_run_and_the_model_is_told_why(begin: Begin, desk: Desk) -> None:
    runs, told = begin("calls were denied", denied_one_after_the_other)
    assert runs[0].ending == ("done", 0)
    assert runs[0].of("tool_result")[0]["status"] == "denied"
    assert "Not on day 0." in told[0]
    assert [path.name for path in desk.cwd.iterdir()] == ["a"]


@pytest.mark.parametrize("harmless", HARMLESS, ids=str)
def test_a_call_that_the_agent_takes_for_harmless_is_denied_all_the_same(begin: Begin, harmless: ToolUse) -> None:
    runs, told = begin("calls were denied", denied_one_after_the_other)
    number = 1 + HARMLESS.index(harmless)
    assert runs[number - 1].last["pending"]["name"] == harmless.name
    ended = runs[number]
    assert [event["status"] for event in ended.of("tool_result")] == ["denied"]
    assert f"Not on day {number}." in told[number]
    assert "content-a" not in str(ended.events)
    unread = [] if harmless == HARMLESS[-1] else ["prompt_unread"]  # of a run that ends with the next call
    assert [event["code"] for event in ended.of("notice")] == unread


def test_the_input_can_be_changed_with_the_decision(desk: Desk, first: Ended) -> None:
    changed = {"command": "touch better", "description": "d"}
    resume(desk, first, updated_input=changed)
    assert [path.name for path in desk.cwd.iterdir()] == ["better"]


def test_a_decision_for_another_call_allows_nothing(desk: Desk, first: Ended) -> None:
    ended = resume(desk, first, tool_use_id="toolu_other")
    assert ended.ending == ("done", 0)
    assert list(desk.cwd.iterdir()) == []
    assert ended.of("notice")[0]["code"] == "decision_unused"


@pytest.mark.parametrize("mode", ["defer", "deny", "plan"])
def test_a_session_that_goes_on_without_a_decision_denies_the_call(desk: Desk, first: Ended, mode: str) -> None:
    desk.script(end="So be it.")
    session = {"resume": first.last["session_id"]}
    ended = desk.run(prompt="Go on.", tools=["Bash"], permissions={"mode": mode}, session=session)
    assert ended.last["text"] == "So be it.\n\nSo be it."
    assert list(desk.cwd.iterdir()) == []


@dataclass(frozen=True)
class Several:
    """A run with calls that do not wait, and then three at once; and the run that allows one of them.

    Attributes:
        before: The files before the second run.
    """

    first: Ended
    before: list[Path]
    second: Ended


def several_calls(desk: Desk) -> Several:
    desk.file("a", "content-a")
    prompt = "[[scenario:task-touch]] Go."
    agent = call("Agent", description="Touch", prompt=prompt, subagent_type="general-purpose")
    turns = (agent, call("Read", file_path="a"), [bash("touch one"), bash("touch two"), bash("touch three")])
    permissions = {"mode": "defer", "allow": ["Agent", "Read"]}
    first = pending_of(desk, *turns, tools=["Agent", "Read", "Bash"], permissions=permissions)
    before = list(desk.cwd.iterdir())
    reads = [call("Read", file_path="a"), call("Read", file_path="a")]
    return Several(first, before, resume(desk, first, turns=(reads,), tools=["Bash", "Read"]))


def statuses_by_tool(ended: Ended, name: str) -> list[str]:
    """What became of the agent's own calls of a tool."""
    calls = [event["tool_use_id"] for event in ended.of("tool_call") if event["name"] == name]
    of_them = [event for event in ended.of("tool_result") if event["tool_use_id"] in calls]
    return [event["status"] for event in of_them if "parent_tool_use_id" not in event]


def test_of_several_calls_at_once_one_waits_and_the_others_are_denied(begin: Begin, desk: Desk) -> None:
    several = begin("several calls", several_calls)
    assert several.first.last["pending"]["input"]["command"] == "touch one"
    assert statuses_by_tool(several.first, "Bash") == ["denied", "denied"]
    assert sorted(path.name for path in desk.cwd.iterdir()) == ["a", "one"]


def test_files_that_are_read_at_once_wait_one_at_a_time_too(begin: Begin) -> None:
    second = begin("several calls", several_calls).second
    assert second.ending == ("done", 0)
    assert second.last["stop_reason"] == "permission_required"
    assert second.last["pending"]["name"] == "Read"
    assert "content-a" not in str(second.events)


def test_a_whole_tool_that_is_allowed_does_not_wait(begin: Begin) -> None:
    first = begin("several calls", several_calls).first
    assert statuses_by_tool(first, "Read") == ["ok"]
    assert first.last["pending"]["name"] == "Bash"


def test_a_subagents_call_cannot_wait_and_is_denied(begin: Begin) -> None:
    several = begin("several calls", several_calls)
    inner = [event["status"] for event in several.first.of("tool_result") if "parent_tool_use_id" in event]
    assert inner == ["denied"]
    assert statuses_by_tool(several.first, "Agent") == ["ok"]  # it went on, and so did the agent itself
    assert [path.name for path in several.before] == ["a"]


def test_a_deny_rule_holds_against_the_decision(desk: Desk, first: Ended) -> None:
    desk.script(end="So be it.")
    decision = {"tool_use_id": first.last["pending"]["tool_use_id"], "behavior": "allow"}
    permissions = {"mode": "defer", "decision": decision, "deny": ["Bash"]}
    session = {"resume": first.last["session_id"]}
    desk.run(prompt="Go on.", tools=["Bash"], permissions=permissions, session=session)
    assert list(desk.cwd.iterdir()) == []


@pytest.mark.parametrize("mode", ["deny", "defer"])
def test_a_decision_that_concerns_no_session_is_refused(desk: Desk, mode: str) -> None:
    decision = {"tool_use_id": "toolu_1", "behavior": "allow"}
    ended = desk.run(tools=["Bash"], permissions={"mode": mode, "decision": decision})
    assert ended.ending == ("invalid_request", 2)
    assert "/permissions/decision" in {problem["pointer"] for problem in ended.last["details"]}


def test_a_denial_holds_against_an_allow_rule_of_the_later_run(desk: Desk, first: Ended) -> None:
    resume(desk, first, "deny", allow=["Bash"])
    assert list(desk.cwd.iterdir()) == []


def test_a_changed_input_is_used_also_where_a_rule_would_allow_the_call(desk: Desk, first: Ended) -> None:
    resume(desk, first, updated_input={"command": "touch better", "description": "d"}, allow=["Bash"])
    assert [path.name for path in desk.cwd.iterdir()] == ["better"]


def test_of_several_runs_with_the_same_decision_one_carries_it_out(desk: Desk, first: Ended) -> None:
    desk.script(end="So be it.")
    decision = {"tool_use_id": first.last["pending"]["tool_use_id"], "behavior": "allow"}
    permissions = {**DEFER, "decision": decision}
    request = desk.request(tools=["Bash"], permissions=permissions, session={"resume": first.last["session_id"]})
    desk.home.loaded = None  # as an application starts them
    runs = [desk.start() for _ in range(3)]
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


def test_a_request_that_cannot_carry_a_decision_out_leaves_the_call_waiting(desk: Desk, first: Ended) -> None:
    forked = resume(desk, first, session={"resume": first.last["session_id"], "fork": True})
    assert forked.ending == ("invalid_request", 2)
    assert [problem["pointer"] for problem in forked.last["details"]] == ["/session/fork"]
    empty = resume(desk, first, updated_input={})
    assert empty.ending == ("invalid_request", 2)
    assert [problem["pointer"] for problem in empty.last["details"]] == ["/permissions/decision/updated_input"]
    without_the_tool = resume(desk, first, tools=["Read"])
    assert without_the_tool.ending == ("invalid_request", 1)  # not worth a retry
    assert list(desk.cwd.iterdir()) == []
    assert resume(desk, first).ending == ("done", 0)
    assert (desk.cwd / "made").exists()


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
