"""A resumed run is as its own request says, not as the first run of its session was; and so are its figures."""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from agent_workers.protocol.v1.task_request import TaskRequest
from agent_workers.simulator import Scenario, Simulator
from agent_workers.simulator.scenario import Failure, Message, Text, ToolUse
from tests.e2e.beginning import Begin
from tests.e2e.desk import Desk, bash, call, give, results
from tests.e2e.engines import AGENT, BOTH, OF_AGENTS, OF_MESSAGES, differs
from tests.e2e.stream import Event
from tests.e2e.test_answers import SCHEMA
from tests.e2e.test_tasks import CRM
from tests.e2e.worker import Ended, Home

pytestmark = [pytest.mark.usefixtures("loaded"), BOTH]
ABOUT_FIRST = {"metadata": {"order": 1}, "subject": {"type": "order", "id": "1"}, "user": "ada", "goal": "The first."}
ABOUT_LATER = {"metadata": {"order": 2}, "subject": {"type": "deal", "id": "2"}, "user": "bert", "goal": "Another."}
FIRST = {"prompt": "My name is Ada.", "system_prompt": "First instructions.", **ABOUT_FIRST}
FIND = "mcp__crm__find_partner"


@dataclass(frozen=True)
class Run:
    """A run that tests look at, and what its last call asked of the model."""

    ended: Ended
    body: dict[str, Any]


def _seen(desk: Desk, ended: Ended) -> Run:
    return Run(ended, _last_body(desk.simulator))


@pytest.fixture
def turns(begin: Begin) -> dict[str, Run]:
    """Turns of a conversation and of its fork, one after the other, each with a request of its own."""
    return begin("turns", _turns)


def _turns(desk: Desk) -> dict[str, Run]:
    turns: dict[str, Run] = {}

    def go_on(name: str, scenario: str, *, after: str, **fields: Any) -> None:
        desk.simulator.play(scenario)
        turns[name] = _seen(desk, _go_on(desk.home, _session(turns[after]), **fields))

    desk.simulator.play("max-tokens-then-ok")
    turns["first"] = _seen(desk, desk.home.run(FIRST))
    forked = {"system_prompt": "Second instructions.", "model": "claude-opus-5-5", "thinking": True}
    go_on("forked", "thinking", after="first", fork=True, **forked)
    resumed = {"system_prompt": "Third instructions.", "model": "claude-sonnet-5", **ABOUT_LATER}
    go_on("resumed", "hello", after="forked", stream={"partial": False}, **resumed)
    go_on("of no words", "thinking", after="forked")
    spent = sum(turns[name].ended.last["cost_usd"] for name in ("resumed", "of no words"))
    go_on("within bounds", "hello", after="forked", max_turns=1, limits={"max_budget_usd": spent})
    return turns


def _session(run: Run) -> str:
    return str(run.ended.last["session_id"])


@pytest.fixture
def session(turns: dict[str, Run]) -> str:
    """The fork."""
    return _session(turns["forked"])


USAGE = {"input_tokens": 100, "output_tokens": 10, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}


def _equal_turn(desk: Desk) -> Run:
    _play(desk.simulator, _say("The same.", usage=USAGE))
    return _seen(desk, desk.home.run({"prompt": "x"}))


@pytest.fixture
def plain(begin: Begin) -> Run:
    """The first turn of another conversation, whose request says nothing of its own."""
    return begin("a plain turn", _equal_turn)


def _go_on(home: Home, session: str, *, fork: bool = False, **fields: Any) -> Ended:
    return home.run({"prompt": "Go on.", "session": {"resume": session, "fork": fork}, **fields})


def _last_body(simulator: Simulator) -> dict[str, Any]:
    return dict(simulator.requests("/v1/messages")[-1].body)


def _play(simulator: Simulator, *steps: Message | Failure) -> None:
    simulator.play(Scenario(name="own", description="A test's.", steps=steps))


def _say(text: str, **more: Any) -> Message:
    return Message(content=(Text(text=text),), **more)


# Each field of the request


@pytest.mark.parametrize(("name", "said"), [("forked", "Second"), ("resumed", "Third")])
def test_the_system_prompt_is_the_one_given_now(turns: dict[str, Run], name: str, said: str) -> None:
    assert "First instructions." in json.dumps(turns["first"].body)
    assert _instructions(turns[name]) == [said]


def test_without_a_system_prompt_now_the_last_one_is_gone(turns: dict[str, Run], plain: Run, engine: str) -> None:
    resumed = turns["of no words"]
    assert _instructions(resumed) == []
    first = 1 if engine == AGENT else 0  # the CLI has a block of its own, which differs by the call
    assert resumed.body["system"][first:] == plain.body["system"][first:] != []


def _instructions(run: Run) -> list[str]:
    return re.findall(r"(\w+) instructions\.", json.dumps(run.body))


def test_the_model_is_the_one_given_now(turns: dict[str, Run]) -> None:
    for name, model in (("forked", "claude-opus-5-5"), ("resumed", "claude-sonnet-5")):
        assert turns[name].body["model"] == model
        assert list(turns[name].ended.last["models"]) == [model], "or one that this run did not call"


def test_without_a_model_now_the_last_one_stays(turns: dict[str, Run]) -> None:
    """As the README says: what the CLI's default is, it alone knows."""
    assert turns["of no words"].body["model"] == "claude-sonnet-5"


def test_the_fallback_model_is_the_one_given_now(home: Home, simulator: Simulator, session: str) -> None:
    overloaded = Failure(status=529, error="overloaded_error", message="Overloaded")
    _play(simulator, *[overloaded] * 3, _say("Here I am."))
    ended = _go_on(home, session, model="claude-opus-5-5", fallback_model="claude-sonnet-5")
    assert list(ended.last["models"]) == ["claude-sonnet-5"]


@OF_MESSAGES
def test_the_length_of_an_answer_is_bounded_as_is_asked_for_now(home: Home, simulator: Simulator, session: str) -> None:
    bounds = []
    for asked in ({"max_tokens": 700}, {}, {"max_tokens": 800}):
        _go_on(home, session, **asked)
        bounds.append(_last_body(simulator)["max_tokens"])
    assert (bounds[0], bounds[2]) == (700, 800)
    assert bounds[1] > 8000


def test_thinking_is_told_where_it_is_asked_for_now(turns: dict[str, Run]) -> None:
    assert turns["forked"].ended.of("thinking") != []
    assert turns["of no words"].ended.of("thinking") == []


def test_whole_blocks_come_where_they_are_asked_for_now(turns: dict[str, Run]) -> None:
    assert len(turns["resumed"].ended.of("delta")) == 1
    assert len(turns["of no words"].ended.of("delta")) > 1


@pytest.mark.parametrize("field", ABOUT_FIRST)
def test_what_a_run_is_about_is_what_is_given_now(turns: dict[str, Run], field: str) -> None:
    assert turns["first"].ended.last[field] == ABOUT_FIRST[field]
    assert field not in turns["forked"].ended.last
    assert turns["resumed"].ended.last[field] == ABOUT_LATER[field]
    assert field not in turns["of no words"].ended.last


@differs("an answer cut at `max_tokens`")
def test_turns_are_counted_from_the_resumed_run_on(turns: dict[str, Run]) -> None:
    first, ended = turns["first"].ended, turns["within bounds"].ended
    assert (first.last["turns"], ended.last["turns"], ended.last["stop_reason"]) == (2, 1, "end_turn")


@differs("`limits.max_budget_usd`")
def test_the_budget_is_the_runs_and_not_the_sessions(turns: dict[str, Run]) -> None:
    """It is what two runs before it have cost, so that with theirs it would be spent."""
    assert turns["within bounds"].ended.last["stop_reason"] == "end_turn"


@differs("`limits.max_budget_usd`")
def test_a_budget_ends_a_resumed_run_too(home: Home, simulator: Simulator, session: str) -> None:
    simulator.play("max-tokens-then-ok")
    ended = _go_on(home, session, limits={"max_budget_usd": 0.0001})
    assert ended.last["stop_reason"] == "max_budget"
    assert 0.0001 < ended.last["cost_usd"] < 0.01
    assert ended.last["usage"]["output_tokens"] > 0


@pytest.fixture
def chats(begin: Begin, session: str) -> list[Run]:
    """Runs of the fork, one after the other: with a schema, another one and a tool, another tool, and nothing."""
    return begin("chats", lambda desk: list(_chats(desk, session)))


def _chats(desk: Desk, session: str) -> Iterator[Run]:
    def tool(name: str) -> dict[str, Any]:
        return {"name": name, "description": "A tool.", "input_schema": {"type": "object"}}

    def reply(event: Event) -> Event | None:
        return give(event, "given") if event["type"] == "app_tool_call" else None

    def run(**fields: Any) -> Run:
        return _seen(desk, desk.converse(reply, worker="agent-chat", session={"resume": session}, **fields))

    number = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
    desk.simulator.play("structured-output")
    yield run(output_schema=SCHEMA)
    desk.simulator.play("structured-output")
    yield run(output_schema=number, app_tools=[tool("first")])
    desk.script(call("mcp__app__second"))
    yield run(app_tools=[tool("second")])
    desk.script()
    yield run()


def test_the_output_schema_is_the_one_given_now(chats: list[Run]) -> None:
    first, second, third, last = chats
    assert first.ended.last["output"] == {"answer": "forty-two", "confidence": 0.9}
    assert isinstance(second.ended.last["output"]["number"], int)
    for without in (third, last):
        assert "output" not in without.ended.last
    assert _tools(last) == []


def test_app_tools_are_those_given_now(chats: list[Run]) -> None:
    _, first, second, last = chats
    assert "mcp__app__first" in _tools(first)
    assert [event["name"] for event in second.ended.of("app_tool_call")] == ["second"]
    assert _tools(second) == ["mcp__app__second"]
    assert _tools(last) == []


PERMISSIONS: list[tuple[dict[str, Any], str]] = [
    ({"allow": ["Write"]}, "ok"),
    ({}, "denied"),
    ({"allow": ["Write"]}, "ok"),
    ({"allow": ["Write"], "deny": ["Write"]}, "error"),  # there is no such tool
    ({"mode": "accept_edits"}, "ok"),
    ({"mode": "plan"}, "denied"),
    ({"mode": "accept_edits"}, "ok"),
    ({"mode": "deny"}, "denied"),
]
"""Of one run after the other in a session, and what becomes of a call of Write."""


@dataclass(frozen=True)
class Tasks:
    """Runs of one session: with each of ``PERMISSIONS``, then with an MCP server, then with nothing.

    The first ones have a directory beside their own, or not, and subagents, or none; ``scouts`` is what those were told
    to be.
    """

    permitted: list[Run]
    written: list[bool]
    scouts: str
    served: Run
    last: Run


@pytest.fixture
def tasks(begin: Begin) -> Tasks:
    return begin("tasks", _tasks)


def _tasks(desk: Desk) -> Tasks:
    beside = desk.home.root / "beside"
    beside.mkdir()
    (beside / "a.txt").write_text("canary")
    policy = desk.home.root / "policy.toml"
    policy.write_text(
        'version = 1\nworkers = ["agent-task"]\n[task]\ntools = ["Agent", "Bash", "Read", "Write", "mcp__crm__*"]\n'
        f'modes = ["deny", "accept_edits", "plan"]\ncwd_roots = ["{desk.home.root}"]\n'
        f'[[task.mcp_commands]]\ncommand = "{sys.executable}"\nargs = ["{CRM}"]\n'
    )
    env = {"AGENT_WORKERS_POLICY": str(policy)}
    beginning = [
        {"tools": ["Agent", "Bash", "Read", "Write"], "add_dirs": [str(beside)], "agents": _scout("first")},
        {"tools": ["Agent", "Read", "Write"], "agents": _scout("second")},
        {"tools": ["Agent", "Read", "Write"], "add_dirs": [str(beside)]},
    ]
    runs: list[Run] = []

    def run(*calls: ToolUse, **fields: Any) -> Run:
        resume = {"session": {"resume": _session(runs[0])}} if runs else {}
        desk.script(*calls)
        runs.append(_seen(desk, desk.run(env=env, **resume, **fields)))
        return runs[-1]

    for number, (permissions, _) in enumerate(PERMISSIONS):
        calls = [call("Write", file_path=f"{number}.txt", content="a")]
        fields = {"tools": ["Read", "Write"]}
        if number < len(beginning):
            calls.append(call("Read", file_path=str(beside / "a.txt")))
            fields = beginning[number]
        if 0 < number < len(beginning):
            look = "[[scenario:hello]] Look around."
            calls.append(call("Agent", description="Look", prompt=look, subagent_type="scout"))
        run(*calls, permissions=permissions, **fields)
    permitted = list(runs)
    scouts = "".join(json.dumps(request.body["system"]) for request in desk.simulator.requests("/v1/messages"))
    crm = {"crm": {"command": sys.executable, "args": [CRM]}}
    served = run(call(FIND, name="Acme"), tools=[FIND], permissions={"allow": [FIND]}, mcp_servers=crm)
    written = [(desk.cwd / f"{number}.txt").exists() for number in range(len(permitted))]
    return Tasks(permitted, written, scouts, served, run())


def _scout(name: str) -> dict[str, Any]:
    return {"scout": {"description": "Looks around.", "prompt": f"The {name} scout."}}


def _tools(run: Run) -> list[str]:
    return [tool["name"] for tool in run.body.get("tools") or ()]


def _became(run: Run, tool: str) -> list[str]:
    """The status of each call of the tool."""
    calls = [event["tool_use_id"] for event in run.ended.of("tool_call") if event["name"] == tool]
    return [event["status"] for event in run.ended.of("tool_result") if event["tool_use_id"] in calls]


@OF_AGENTS
def test_max_turns_ends_a_resumed_run_too(desk: Desk, tasks: Tasks) -> None:
    desk.simulator.play("tool-loop")
    resume = {"resume": _session(tasks.last)}
    assert desk.run(session=resume, tools=["Bash"], max_turns=1).last["stop_reason"] == "max_turns"


@OF_AGENTS
def test_tools_are_those_given_now(tasks: Tasks) -> None:
    assert sorted(_tools(tasks.permitted[0])) == ["Agent", "Bash", "Read", "Write"]
    assert sorted(_tools(tasks.permitted[4])) == ["Read", "Write"]
    assert _tools(tasks.last) == []


@OF_AGENTS
def test_permissions_are_those_given_now(tasks: Tasks) -> None:
    assert [_became(run, "Write") for run in tasks.permitted] == [[status] for _, status in PERMISSIONS]
    assert tasks.written == [status == "ok" for _, status in PERMISSIONS]


@OF_AGENTS
def test_add_dirs_are_those_given_now(tasks: Tasks) -> None:
    assert [_became(run, "Read") for run in tasks.permitted[:3]] == [["ok"], ["denied"], ["ok"]]


@OF_AGENTS
def test_subagents_are_those_given_now(tasks: Tasks) -> None:
    assert "The second scout." in tasks.scouts
    assert "The first scout." not in tasks.scouts
    assert _became(tasks.permitted[2], "Agent") == ["error"]


@OF_AGENTS
def test_mcp_servers_are_those_given_now(tasks: Tasks) -> None:
    assert _became(tasks.served, FIND) == ["ok"]
    assert _tools(tasks.last) == []


@OF_AGENTS
def test_every_field_that_may_say_what_a_run_is_has_a_test_here() -> None:
    """Whoever adds a field learns that a resumed session may keep the first run's, as the CLI does."""
    tested = {"system_prompt", "model", "fallback_model", "thinking", "max_turns", "limits", "output_schema"}
    tested |= {"app_tools", "tools", "permissions", "mcp_servers", "agents", "add_dirs", "stream", *ABOUT_FIRST}
    tested |= {"max_tokens"}
    names_the_run = {"v", "run", "attempt", "traceparent", "prompt", "session", "session_owner", "cwd", "engine"}
    assert set(TaskRequest.model_fields) == tested | names_the_run


# Figures


def test_the_figures_of_equal_turns_do_not_add_up(home: Home, simulator: Simulator, plain: Run) -> None:
    _play(simulator, _say("The same.", usage=USAGE))
    ends = [_go_on(home, _session(plain)).last for _ in range(2)]
    ends.append(_go_on(home, _session(plain), fork=True).last)
    for end in ends:
        for figure in ("usage", "cost_usd", "models", "turns"):
            assert end[figure] == plain.ended.last[figure], figure
        assert end["usage"] == {**USAGE, "cache_creation_5m_input_tokens": 0, "cache_creation_1h_input_tokens": 0}
        assert sum(model["cost_usd"] for model in end["models"].values()) == pytest.approx(end["cost_usd"])


def test_a_resumed_run_that_the_api_refused_has_not_cost_what_came_before_it(
    home: Home, simulator: Simulator, session: str
) -> None:
    simulator.play("bad-request-400")
    ended = _go_on(home, session)
    assert ended.ending == ("invalid_request", 1)
    assert not ended.last.get("cost_usd")
    assert not ended.last.get("usage", {}).get("output_tokens")


@differs("`cost_usd` of a stopped run")
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


@OF_AGENTS
def test_a_resumed_run_that_failed_after_some_calls_tells_what_these_cost(desk: Desk) -> None:
    steps = (Message(content=(bash("echo x"),)), Failure(status=400, error="invalid_request_error", message="No."))
    _play(desk.simulator, *steps)
    fresh = desk.run(tools=["Bash"])
    _play(desk.simulator, *steps)
    resumed = desk.run(tools=["Bash"], session={"resume": fresh.last["session_id"]})
    assert fresh.ending == resumed.ending == ("invalid_request", 1)
    assert 0 < resumed.last["cost_usd"] < 2 * fresh.last["cost_usd"]
    assert list(results(resumed)) == ["echo x"]
