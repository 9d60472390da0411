"""An agent that acts: the real CLI with its tools, in a directory, as far as the request allows."""

import sys
from pathlib import Path

import pytest

from agent_workers.protocol.v1.tools import BUILT_IN_TOOLS
from tests.e2e.beginning import Begin
from tests.e2e.desk import IDLE, Desk, bash, call, longer_than_idle, permit, results
from tests.e2e.stream import Event
from tests.e2e.worker import Ended, command_of

pytestmark = pytest.mark.usefixtures("loaded")
CRM = str(Path(__file__).parents[2] / "examples" / "mcp" / "partners.py")


def test_a_task_reads_and_edits_and_runs_commands(desk: Desk) -> None:
    desk.file("notes.txt", "Meet at nine.\n")
    desk.script(
        call("Read", file_path="notes.txt"),
        call("Edit", file_path="notes.txt", old_string="nine", new_string="ten"),
        bash("cat notes.txt && pwd"),
        end="It is at ten now.",
    )
    ended = desk.run(tools=["Read", "Edit", "Bash"], permissions={"allow": ["Edit", "Bash(cat notes.txt && pwd)"]})
    assert ended.ending == ("done", 0)
    assert (desk.cwd / "notes.txt").read_text() == "Meet at ten.\n"
    assert [event["status"] for event in ended.of("tool_result")] == ["ok", "ok", "ok"]
    assert ended.of("tool_result")[2]["content"] == f"Meet at ten.\n{desk.cwd}"
    assert ended.last["text"] == "It is at ten now."
    assert "denials" not in ended.last
    assert ended.of("start")[0]["worker"] == "agent-task"


@pytest.fixture
def called(begin: Begin) -> Ended:
    """A run with a long input, two commands at once, six files at once, a command that is denied, one after that."""
    return begin("calls", make_calls)


LONG = "ab" * 140_000


def make_calls(desk: Desk) -> Ended:
    for name in "abcdef":
        desk.file(name, f"this is {name}")
    commands = [bash("echo one"), bash("echo two")]
    reads = [call("Read", file_path=name) for name in "abcdef"]
    write = call("Write", file_path="long", content=LONG)
    desk.script(write, commands, reads, bash("touch made"), bash("echo after"), end="I could not.")
    tools = ["Bash", "Read", "Write"]
    return desk.run(prompt="My name is Ada.", tools=tools, permissions={"allow": ["Write"]})


def test_each_call_is_told_before_its_result_and_names_the_same_id(called: Ended) -> None:
    for name in ("one", "two"):
        [call] = [event for event in called.of("tool_call") if event["input"].get("command") == f"echo {name}"]
        [result] = [event for event in called.of("tool_result") if event["tool_use_id"] == call["tool_use_id"]]
        assert call["seq"] < result["seq"]
        assert result["content"] == name


def test_parallel_calls_each_get_their_own_result(called: Ended) -> None:
    found = {Path(name).name: event for name, event in results(called).items()}
    assert {name: f"this is {name}" in found[name]["content"] for name in "abcdef"} == dict.fromkeys("abcdef", True)


def test_a_denied_call_is_told_as_such_and_the_run_goes_on(called: Ended, desk: Desk) -> None:
    assert called.ending == ("done", 0)
    assert [event["status"] for event in called.of("tool_result")][-2:] == ["denied", "ok"]
    [denial] = called.last["denials"]
    assert denial["input"]["command"] == "touch made"
    assert denial["tool_use_id"] == called.of("tool_call")[-2]["tool_use_id"]
    assert not (desk.cwd / "made").exists()
    assert called.last["text"] == "I could not."


def test_a_long_input_is_cut_in_a_marked_way_and_used_whole(called: Ended, desk: Desk) -> None:
    written = called.of("tool_call")[0]
    assert written["truncated_bytes"] >= 280_000 - 256 * 1024
    assert LONG.startswith(written["input"]["content"][:1000])
    assert (desk.cwd / "long").read_text() == LONG


def with_subagents(desk: Desk) -> tuple[Ended, list[str]]:
    """A run with a subagent that works and one that only speaks; and the system prompts that the model was given."""
    prompt = "[[scenario:tool-loop]] Look around."
    desk.script(
        call("Agent", description="Look", prompt=prompt, subagent_type="scout"),
        call("Agent", description="Say hello", prompt="[[scenario:hello]] Hi", subagent_type="general-purpose"),
        end="The scout is back.",
    )
    scout = {"description": "Looks around.", "prompt": "You look around.", "tools": ["Bash"]}
    ended = desk.run(tools=["Agent", "Bash"], agents={"scout": scout})
    return ended, [str(request.body["system"]) for request in desk.simulator.requests("/v1/messages")]


def test_a_subagent_works_under_the_call_that_started_it(begin: Begin) -> None:
    ended, systems = begin("subagents", with_subagents)
    assert ended.ending == ("done", 0)
    started, inner, _ = ended.of("tool_call")
    assert started["name"] == "Agent"
    assert inner["parent_tool_use_id"] == started["tool_use_id"]
    assert ended.of("task")[0]["status"] == "started"
    assert "completed" in {event["status"] for event in ended.of("task")}
    assert ended.last["text"] == "The scout is back."
    assert any("You look around." in system for system in systems)


def test_a_subagents_words_are_not_the_answer(begin: Begin) -> None:
    ended, _ = begin("subagents", with_subagents)
    assert ended.of("tool_call")[2]["input"]["subagent_type"] == "general-purpose"
    assert ended.last["text"] == "The scout is back."


def test_an_mcp_server_of_the_request_is_started_and_called(desk: Desk) -> None:
    desk.script(call("mcp__crm__find_partner", name="Acme"), end="Acme is a partner.")
    policy = desk.home.root / "policy.toml"
    policy.write_text(
        f'version = 1\nworkers = ["agent-task"]\n[task]\ntools = ["mcp__crm__*"]\ncwd_roots = ["{desk.cwd}"]\n'
        f'modes = ["deny"]\n[[task.mcp_commands]]\ncommand = "{sys.executable}"\nargs = ["{CRM}"]\n'
    )
    ended = desk.run(
        tools=["mcp__crm__find_partner"],
        permissions={"allow": ["mcp__crm__find_partner"]},
        mcp_servers={"crm": {"command": sys.executable, "args": [CRM]}},
        env={"AGENT_WORKERS_POLICY": str(policy)},
    )
    assert ended.ending == ("done", 0)
    [result] = ended.of("tool_result")
    assert (result["status"], "Acme" in result["content"]) == ("ok", True)
    assert ended.of("session")[0]["tools"] == ["mcp__crm__find_partner"]


def make_edits(desk: Desk) -> Ended:
    """A run in a directory and a further one, which the policy allows; it writes in each, and beside them."""
    below, further = desk.cwd / "sub", desk.home.root / "further"
    below.mkdir()
    further.mkdir()
    paths = ("a.txt", str(desk.home.root / "outside.txt"), str(further / "b.txt"))
    desk.script([call("Write", file_path=path, content="a") for path in paths])
    policy = desk.home.root / "policy.toml"
    policy.write_text(f'version = 1\n[task]\ncwd_roots = ["{desk.home.root}"]\n')
    return desk.run(
        cwd=str(below),
        add_dirs=[str(below), str(further)],
        tools=["Write"],
        permissions={"mode": "accept_edits"},
        env={"AGENT_WORKERS_POLICY": str(policy)},
    )


def test_edits_are_accepted_below_the_working_directory_only(begin: Begin, desk: Desk) -> None:
    ended = begin("edits", make_edits)
    assert (desk.cwd / "sub" / "a.txt").read_text() == "a"
    assert not (desk.home.root / "outside.txt").exists()
    assert sorted(event["status"] for event in ended.of("tool_result")) == ["denied", "ok", "ok"]


def test_further_directories_are_worked_in_too(begin: Begin, desk: Desk) -> None:
    ended = begin("edits", make_edits)
    assert ended.ending == ("done", 0)
    assert (desk.home.root / "further" / "b.txt").exists()


def test_a_plan_changes_nothing(desk: Desk) -> None:
    desk.script(call("Write", file_path="a.txt", content="a"), end="First this, then that.")
    ended = desk.run(tools=["Write", "Read"], permissions={"mode": "plan"})
    assert not (desk.cwd / "a.txt").exists()
    assert ended.last["text"] == "First this, then that."


def with_all_tools(desk: Desk) -> Ended:
    """A run with every tool, one of which asks whoever listens, that is to give structured output."""
    desk.simulator.play("structured-output")
    schema = {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}
    return desk.converse(lambda event: None, tools=sorted(BUILT_IN_TOOLS), output_schema=schema)


def test_every_tool_that_is_taken_is_one_that_the_agent_has(begin: Begin) -> None:
    ended = begin("all tools", with_all_tools)
    assert sorted(ended.of("session")[0]["tools"]) == sorted(BUILT_IN_TOOLS)


def test_a_task_gives_structured_output(begin: Begin) -> None:
    ended = begin("all tools", with_all_tools)
    assert isinstance(ended.last["output"]["count"], int)


def test_a_command_that_takes_long_is_not_idle(desk: Desk) -> None:
    desk.script(bash("until [ -e go ]; do sleep 0.1; done; echo finished"))

    def let_go(event: Event) -> None:
        if longer_than_idle(event):
            desk.file("go")

    ended = desk.converse(let_go, tools=["Bash"], permissions={"allow": ["Bash"]}, **IDLE)
    assert ended.ending == ("done", 0)
    assert "finished" in ended.of("tool_result")[0]["content"]


def test_a_task_is_continued_in_its_directory(called: Ended, desk: Desk) -> None:
    desk.simulator.play("memory")
    second = desk.run(prompt="What is my name?", session={"resume": called.last["session_id"]})
    assert "Ada" in second.last["text"]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"tools": ["Raed"]}, "/tools/0"),
        ({"tools": ["mcp__crm__find"]}, "/tools/0"),
        ({"tools": ["Read"], "permissions": {"allow": ["Bash"]}}, "/permissions/allow/0"),
        ({"agents": {"a": {"description": "d", "prompt": "p"}}}, "/agents"),
        ({"permissions": {"mode": "ask"}}, "/permissions/mode"),
        ({"permissions": {"mode": "bypassPermissions"}}, "/permissions/mode"),
        ({"tools": ["Bash"], "permissions": {"mode": "defer", "allow": ["Bash(ls)"]}}, "/permissions/allow/0"),
        ({"cwd": "/does/not/exist"}, "/cwd"),
        ({"cwd": "/etc/passwd"}, "/cwd"),
        ({"app_tools": [{"name": "t", "description": "d", "input_schema": {"type": "object"}}]}, "/app_tools"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_runs(desk: Desk, fields: dict[str, object], place: str) -> None:
    ended = desk.run(**fields)
    assert ended.ending == ("invalid_request", 2)
    assert [problem["pointer"] for problem in ended.last["details"]] == [place]
    assert desk.simulator.requests() == []


def test_a_typo_in_a_tools_name_is_told_what_it_was_meant_to_be(desk: Desk) -> None:
    [problem] = desk.run(tools=["Raed"]).last["details"]
    assert problem["did_you_mean"] == "Read"


@pytest.mark.usefixtures("installed")
def test_nothing_of_a_request_shows_in_the_command_line(desk: Desk) -> None:
    seen: list[bytes] = []

    def look(event: dict[str, object]) -> dict[str, object] | None:
        if event["type"] != "permission_request":
            return None
        seen.extend(command_of(pid) for pid in desk.home.processes())
        return permit(event, "deny")

    desk.script(bash("touch made"))
    helper = {"description": "canary-a", "prompt": "canary-b"}
    desk.converse(
        look,
        prompt="canary-c",
        system_prompt="canary-d",
        tools=["Bash", "Agent"],
        agents={"helper": helper},
        permissions={"mode": "ask", "allow": ["Bash(canary-e)"]},
    )
    assert seen
    assert not any(b"canary" in line for line in seen)
