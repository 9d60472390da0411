"""A resumed run is as its own request says, not as the first run of its session was; and so are its figures."""

import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from agent_workers.protocol.v1.task_request import TaskRequest
from agent_workers.simulator import Scenario, Simulator
from agent_workers.simulator.scenario import Failure, Message, Text
from tests.e2e.beginning import Begin
from tests.e2e.desk import Desk, bash, call, give, results
from tests.e2e.stream import Event
from tests.e2e.test_answers import SCHEMA
from tests.e2e.test_tasks import CRM
from tests.e2e.worker import Ended, Home

pytestmark = pytest.mark.usefixtures("loaded")
FIRST = {"prompt": "My name is Ada.", "system_prompt": "First instructions.", "metadata": {"order": 1}}


@dataclass(frozen=True)
class Run:
    """A run that tests look at, and what its last call asked of the model."""

    ended: Ended
    body: dict[str, Any]


def _seen(desk: Desk, ended: Ended) -> Run:
    return Run(ended, _last_body(desk.simulator))


@pytest.fixture
def first(begin: Begin) -> Run:
    """A conversation of one turn."""
    return begin("a turn", lambda desk: _seen(desk, desk.home.run(FIRST)))


@pytest.fixture
def session(first: Run) -> str:
    return str(first.ended.last["session_id"])


@pytest.fixture
def second(begin: Begin, session: str) -> Run:
    """The turn after it, whose request says nothing of its own."""
    return begin("two turns", lambda desk: _seen(desk, _go_on(desk.home, session)))


@pytest.fixture
def sonnet(begin: Begin, session: str) -> Run:
    """The turn after it, of another model."""
    return begin("on sonnet", lambda desk: _seen(desk, _go_on(desk.home, session, model="claude-sonnet-5")))


def _go_on(home: Home, session: str, *, fork: bool = False, **fields: Any) -> Ended:
    return home.run({"prompt": "Go on.", "session": {"resume": session, "fork": fork}, **fields})


def _last_body(simulator: Simulator) -> dict[str, Any]:
    return dict(simulator.requests("/v1/messages")[-1].body)


def _play(simulator: Simulator, *steps: Message | Failure) -> None:
    simulator.play(Scenario(name="own", description="A test's.", steps=steps))


def _say(text: str, **more: Any) -> Message:
    return Message(content=(Text(text=text),), **more)


# Each field of the request


@pytest.mark.parametrize("fork", [False, True], ids=["resumed", "forked"])
def test_the_system_prompt_is_the_one_given_now(
    home: Home, simulator: Simulator, first: Run, session: str, fork: bool
) -> None:
    _go_on(home, session, fork=fork, system_prompt="Second instructions.")
    second = json.dumps(_last_body(simulator))
    assert "First instructions." in json.dumps(first.body)
    assert "Second instructions." in second
    assert "First instructions." not in second


def test_without_a_system_prompt_now_the_first_one_is_gone(home: Home, simulator: Simulator, second: Run) -> None:
    resumed = second.body["system"][1:]  # the first block is the CLI's own, and differs by the call
    home.run({"prompt": "Go on."})
    assert resumed == _last_body(simulator)["system"][1:] != []


def test_the_model_is_the_one_given_now(sonnet: Run) -> None:
    assert sonnet.body["model"] == "claude-sonnet-5"
    assert list(sonnet.ended.last["models"]) == ["claude-sonnet-5"]


def test_without_a_model_now_the_last_one_stays(home: Home, simulator: Simulator, session: str, sonnet: Run) -> None:
    """As the README says: what the CLI's default is, it alone knows."""
    _go_on(home, session)
    assert _last_body(simulator)["model"] == "claude-sonnet-5"


def test_the_fallback_model_is_the_one_given_now(home: Home, simulator: Simulator, session: str) -> None:
    overloaded = Failure(status=529, error="overloaded_error", message="Overloaded")
    _play(simulator, *[overloaded] * 3, _say("Here I am."))
    ended = _go_on(home, session, model="claude-opus-5-5", fallback_model="claude-sonnet-5")
    assert list(ended.last["models"]) == ["claude-sonnet-5"]


def test_thinking_is_told_where_it_is_asked_for_now(home: Home, simulator: Simulator, session: str) -> None:
    simulator.play("thinking")
    assert _go_on(home, session, thinking=True).of("thinking") != []
    assert _go_on(home, session).of("thinking") == []


def test_whole_blocks_come_where_they_are_asked_for_now(home: Home, session: str, second: Run) -> None:
    assert len(second.ended.of("delta")) > 1
    assert len(_go_on(home, session, stream={"partial": False}).of("delta")) == 1


def test_metadata_is_the_one_given_now(home: Home, first: Run, session: str, second: Run) -> None:
    assert first.ended.last["metadata"] == {"order": 1}
    assert "metadata" not in second.ended.last
    assert _go_on(home, session, metadata={"order": 2}).last["metadata"] == {"order": 2}


def test_turns_are_counted_from_the_resumed_run_on(home: Home, simulator: Simulator) -> None:
    simulator.play("max-tokens-then-ok")
    first = home.run({"prompt": "x"})
    simulator.play("hello")
    ended = _go_on(home, first.last["session_id"], max_turns=1)
    assert (first.last["turns"], ended.last["turns"], ended.last["stop_reason"]) == (2, 1, "end_turn")


@pytest.fixture
def task(begin: Begin) -> Ended:
    """A task of one turn, which might have used some tools."""
    return begin("a task", lambda desk: desk.run(tools=["Read", "Bash"]))


def test_max_turns_ends_a_resumed_run_too(desk: Desk, task: Ended) -> None:
    desk.simulator.play("tool-loop")
    assert _task(desk, task, tools=["Bash"], max_turns=1).last["stop_reason"] == "max_turns"


def test_the_budget_is_the_runs_and_not_the_sessions(home: Home, session: str, second: Run) -> None:
    spent = second.ended.last["cost_usd"] + _go_on(home, session).last["cost_usd"]
    within = _go_on(home, session, limits={"max_budget_usd": spent})
    assert within.last["stop_reason"] == "end_turn"


def test_a_budget_ends_a_resumed_run_too(home: Home, simulator: Simulator, session: str) -> None:
    simulator.play("max-tokens-then-ok")
    ended = _go_on(home, session, limits={"max_budget_usd": 0.0001})
    assert ended.last["stop_reason"] == "max_budget"
    assert 0.0001 < ended.last["cost_usd"] < 0.01
    assert ended.last["usage"]["output_tokens"] > 0


def test_the_output_schema_is_the_one_given_now(home: Home, simulator: Simulator, session: str) -> None:
    simulator.play("structured-output")
    first = _go_on(home, session, output_schema=SCHEMA)
    number = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
    simulator.play("structured-output")
    second = _go_on(home, session, output_schema=number)
    simulator.play("hello")
    third = _go_on(home, session)
    assert first.last["output"] == {"answer": "forty-two", "confidence": 0.9}
    assert isinstance(second.last["output"]["number"], int)
    assert "output" not in third.last
    assert _tools(simulator) == []


def test_app_tools_are_those_given_now(desk: Desk) -> None:
    def tool(name: str) -> dict[str, Any]:
        return {"name": name, "description": "A tool.", "input_schema": {"type": "object"}}

    def reply(event: Event) -> Event | None:
        return give(event, "given") if event["type"] == "app_tool_call" else None

    first = desk.converse(reply, worker="agent-chat", app_tools=[tool("first")])
    resume = {"resume": first.last["session_id"]}
    desk.script(call("mcp__app__second"))
    second = desk.converse(reply, worker="agent-chat", app_tools=[tool("second")], session=resume)
    assert [event["name"] for event in second.of("app_tool_call")] == ["second"]
    assert _tools(desk.simulator) == ["mcp__app__second"]
    desk.script()
    desk.converse(reply, worker="agent-chat", session=resume)
    assert _tools(desk.simulator) == []


def _task(desk: Desk, earlier: Ended, **fields: Any) -> Ended:
    return desk.run(session={"resume": earlier.last["session_id"]}, **fields)


def _tools(simulator: Simulator) -> list[str]:
    return [tool["name"] for tool in _last_body(simulator).get("tools") or ()]


def test_tools_are_those_given_now(desk: Desk, task: Ended) -> None:
    desk.script()
    _task(desk, task, tools=["Write", "Read"])
    assert sorted(_tools(desk.simulator)) == ["Read", "Write"]
    _task(desk, task)
    assert _tools(desk.simulator) == []


@pytest.mark.parametrize(
    ("before", "now", "status"),
    [
        ({"allow": ["Write"]}, {}, "denied"),
        ({}, {"allow": ["Write"]}, "ok"),
        ({"allow": ["Write"]}, {"allow": ["Write"], "deny": ["Write"]}, "error"),  # there is no such tool
        ({"mode": "accept_edits"}, {"mode": "deny"}, "denied"),
        ({"mode": "plan"}, {"mode": "accept_edits"}, "ok"),
        ({"mode": "accept_edits"}, {"mode": "plan"}, "denied"),
    ],
)
def test_permissions_are_those_given_now(
    begin: Begin, desk: Desk, before: dict[str, Any], now: dict[str, Any], status: str
) -> None:
    first = begin(f"a task with {before}", lambda desk: desk.run(tools=["Write"], permissions=before))
    desk.script(call("Write", file_path="a.txt", content="a"))
    ended = _task(desk, first, tools=["Write"], permissions=now)
    assert [event["status"] for event in ended.of("tool_result")] == [status]
    assert (desk.cwd / "a.txt").exists() == (status == "ok")


def test_add_dirs_are_those_given_now(desk: Desk) -> None:
    beside = desk.home.root / "beside"
    beside.mkdir()
    (beside / "a.txt").write_text("canary")
    policy = desk.home.root / "policy.toml"
    policy.write_text(
        'version = 1\nworkers = ["agent-task"]\n[task]\ntools = ["Read"]\nmodes = ["deny"]\n'
        f'cwd_roots = ["{desk.home.root}"]\n'
    )
    env = {"AGENT_WORKERS_POLICY": str(policy)}
    read = call("Read", file_path=str(beside / "a.txt"))
    desk.script(read)
    first = desk.run(tools=["Read"], add_dirs=[str(beside)], env=env)
    desk.script(read)
    without = _task(desk, first, tools=["Read"], env=env)
    desk.script(read)
    again = _task(desk, first, tools=["Read"], add_dirs=[str(beside)], env=env)
    statuses = [event["status"] for ended in (first, without, again) for event in ended.of("tool_result")]
    assert statuses == ["ok", "denied", "ok"]


def test_subagents_are_those_given_now(desk: Desk) -> None:
    def scout(instructions: str) -> dict[str, Any]:
        return {"scout": {"description": "Looks around.", "prompt": instructions}}

    desk.script()
    first = desk.run(tools=["Agent"], agents=scout("The first scout."))
    look = call("Agent", description="Look", prompt="[[scenario:hello]] Look around.", subagent_type="scout")
    desk.script(look)
    _task(desk, first, tools=["Agent"], agents=scout("The second scout."))
    told = "".join(json.dumps(request.body["system"]) for request in desk.simulator.requests("/v1/messages"))
    assert "The second scout." in told
    assert "The first scout." not in told
    desk.script(look)
    [result] = _task(desk, first, tools=["Agent"]).of("tool_result")
    assert result["status"] == "error"


def test_mcp_servers_are_those_given_now(desk: Desk, task: Ended) -> None:
    name = "mcp__crm__find_partner"
    policy = desk.home.root / "policy.toml"
    policy.write_text(
        f'version = 1\nworkers = ["agent-task"]\n[task]\ntools = ["mcp__crm__*"]\ncwd_roots = ["{desk.cwd}"]\n'
        f'modes = ["deny"]\n[[task.mcp_commands]]\ncommand = "{sys.executable}"\nargs = ["{CRM}"]\n'
    )
    more = {
        "tools": [name],
        "permissions": {"allow": [name]},
        "mcp_servers": {"crm": {"command": sys.executable, "args": [CRM]}},
        "env": {"AGENT_WORKERS_POLICY": str(policy)},
    }
    desk.script(call(name, name="Acme"))
    assert [event["status"] for event in _task(desk, task, **more).of("tool_result")] == ["ok"]
    desk.script()
    _task(desk, task)
    assert _tools(desk.simulator) == []


def test_every_field_that_may_say_what_a_run_is_has_a_test_here() -> None:
    """Whoever adds a field learns that a resumed session may keep the first run's, as the CLI does."""
    tested = {"system_prompt", "model", "fallback_model", "thinking", "max_turns", "limits", "output_schema"}
    tested |= {"app_tools", "tools", "permissions", "mcp_servers", "agents", "add_dirs", "metadata", "stream"}
    names_the_run = {"v", "run", "prompt", "session", "session_owner", "cwd"}
    assert set(TaskRequest.model_fields) == tested | names_the_run


# Figures


def test_the_figures_of_equal_turns_do_not_add_up(home: Home, simulator: Simulator) -> None:
    usage = {"input_tokens": 100, "output_tokens": 10, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    _play(simulator, _say("The same.", usage=usage))
    first = home.run({"prompt": "x"})
    ends = [_go_on(home, first.last["session_id"]).last for _ in range(2)]
    ends.append(_go_on(home, first.last["session_id"], fork=True).last)
    for end in ends:
        for figure in ("usage", "cost_usd", "models", "turns"):
            assert end[figure] == first.last[figure], figure
        assert end["usage"] == {**usage, "cache_creation_5m_input_tokens": 0, "cache_creation_1h_input_tokens": 0}
        assert sum(model["cost_usd"] for model in end["models"].values()) == pytest.approx(end["cost_usd"])


def test_a_model_that_this_run_did_not_call_is_not_in_its_figures(home: Home, session: str, sonnet: Run) -> None:
    ended = _go_on(home, session, model="claude-opus-5-5")
    assert list(ended.last["models"]) == ["claude-opus-5-5"]


def test_a_resumed_run_that_the_api_refused_has_not_cost_what_came_before_it(
    home: Home, simulator: Simulator, session: str
) -> None:
    simulator.play("bad-request-400")
    ended = _go_on(home, session)
    assert ended.ending == ("invalid_request", 1)
    assert not ended.last.get("cost_usd")
    assert not ended.last.get("usage", {}).get("output_tokens")


def test_a_resumed_run_that_was_stopped_tells_its_own_tokens(home: Home, simulator: Simulator, session: str) -> None:
    usage = {"input_tokens": 100, "output_tokens": 10}
    _play(simulator, _say("Slow and slower.", delay_ms=5000, cut="character", usage=usage))
    running = home.start("--control")
    running.send({"prompt": "x", "session": {"resume": session}})
    running.wait_for("delta")
    running.send({"type": "abort", "id": "1"})
    stopped = running.end().last
    assert (stopped["type"], stopped["session_id"]) == ("aborted", session)
    assert stopped["usage"]["input_tokens"] == 100
    assert "cost_usd" not in stopped


def test_a_resumed_run_that_failed_after_some_calls_tells_what_these_cost(desk: Desk, task: Ended) -> None:
    steps = (Message(content=(bash("echo x"),)), Failure(status=400, error="invalid_request_error", message="No."))
    _play(desk.simulator, *steps)
    fresh = desk.run(tools=["Bash"])
    _play(desk.simulator, *steps)
    resumed = _task(desk, task, tools=["Bash"])
    assert fresh.ending == resumed.ending == ("invalid_request", 1)
    assert 0 < resumed.last["cost_usd"] < 2 * fresh.last["cost_usd"]
    assert list(results(resumed)) == ["echo x"]
