"""What each mode lets each file tool reach: inside the working directories and nothing else. Holds for each new CLI."""

from pathlib import Path
from typing import Any

import pytest

from agent_workers.simulator.scenario import ToolUse
from tests.e2e.desk import Desk, bash, call, permit
from tests.e2e.stream import Event
from tests.e2e.worker import Ended

TOOLS = ["Read", "Grep", "Glob", "Edit", "Write", "NotebookEdit"]
READING = {"Read", "Grep", "Glob"}
MODES: dict[str, dict[str, Any]] = {
    "deny": {"mode": "deny"},
    "deny with rules": {"mode": "deny", "allow": TOOLS},
    "ask": {"mode": "ask"},
    "ask with rules": {"mode": "ask", "allow": TOOLS},
    "defer with rules": {"mode": "defer", "allow": TOOLS},
    "accept_edits": {"mode": "accept_edits"},
    "plan": {"mode": "plan"},
}
WRITING = {"deny with rules", "ask with rules", "defer with rules", "accept_edits"}
"""Those in which files in the working directory are changed unasked."""
OUTSIDE = ("absolute", "dots", "link", "link in a link", "home", "proc")


@pytest.fixture
def places(desk: Desk) -> dict[str, str]:
    """A directory of each kind; the hard link is a file of the working directory, whatever else it is."""
    outside = desk.home.root / "outside"
    outside.mkdir()
    (outside / "notes.txt").write_text("canary-of-the-file")
    (outside / "book.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    (desk.home.root / "home" / "notes.txt").write_text("canary-of-the-file")
    (desk.cwd / "link").symlink_to(outside)
    (desk.cwd / "chain").symlink_to(desk.cwd / "link")
    desk.file("inside/notes.txt", "of-the-inside")
    (desk.cwd / "hard").mkdir()
    (desk.cwd / "hard" / "notes.txt").hardlink_to(outside / "notes.txt")
    return {
        "inside": "inside",
        "hard link": "hard",
        "absolute": str(outside),
        "dots": "inside/../../outside",
        "link": "link",
        "link in a link": "chain",
        "home": "~",
        "proc": f"/proc/self/root{outside}",
    }


def attempts(place: str, mark: str) -> list[ToolUse]:
    """A call of each tool in a directory."""
    return [
        call("Read", file_path=f"{place}/notes.txt"),
        call("Grep", pattern="of-the", path=place, output_mode="content"),
        call("Glob", pattern="note*.txt", path=place),
        call("Glob", pattern=f"{place}/note*"),
        call("Edit", file_path=f"{place}/notes.txt", old_string="of-the", new_string=f"edited-{mark}"),
        call("Write", file_path=f"{place}/new-{mark}.txt", content="x"),
        call("NotebookEdit", notebook_path=f"{place}/book.ipynb", new_source="x", cell_type="code", edit_mode="insert"),
    ]


def outcomes(ended: Ended) -> list[tuple[str, str, str]]:
    """Of each call the tool, its input as text, and what became of it."""
    calls = {event["tool_use_id"]: event for event in ended.of("tool_call")}
    found = ((calls[event["tool_use_id"]], event) for event in ended.of("tool_result"))
    return [(called["name"], str(called["input"]), event["status"]) for called, event in found]


@pytest.mark.parametrize("mode", MODES)
def test_file_tools_stay_inside_whatever_the_mode_and_the_way(desk: Desk, places: dict[str, str], mode: str) -> None:
    before = {path: path.read_bytes() for path in (desk.home.root / "outside").iterdir()}
    calls = [each for number, kind in enumerate(OUTSIDE) for each in attempts(places[kind], str(number))]
    desk.script(calls)
    ended = desk.converse(_refuse, tools=TOOLS, permissions=MODES[mode])
    assert ended.ending == ("done", 0)
    assert len(outcomes(ended)) == len(calls)
    # A pattern that leads out is sometimes a search without a find.
    found = [event["content"] for event in ended.of("tool_result") if event["status"] == "ok"]
    assert set(found) <= {"No files found"}
    assert "canary-of-the-file" not in str(ended.events)
    assert {path: path.read_bytes() for path in (desk.home.root / "outside").iterdir()} == before
    assert bool(ended.of("permission_request")) == mode.startswith("ask")


@pytest.mark.parametrize("mode", MODES)
def test_inside_they_read_and_change_files_where_the_mode_says_so(
    desk: Desk, places: dict[str, str], mode: str
) -> None:
    reading = [each for kind in ("inside", "hard link") for each in attempts(places[kind], "") if each.name in READING]
    writing = [each for each in attempts(places["inside"], "") if each.name in ("Edit", "Write")]
    desk.script(reading, *writing)
    ended = desk.converse(_refuse, tools=TOOLS, permissions=MODES[mode])
    assert {status for name, _, status in outcomes(ended) if name in READING} == {"ok"}
    assert {status for name, _, status in outcomes(ended) if name not in READING} == (
        {"ok"} if mode in WRITING else {"denied"}
    )
    assert (desk.cwd / "inside" / "new-.txt").exists() == (mode in WRITING)


def _refuse(event: Event) -> Event | None:
    return permit(event, "deny") if event["type"] == "permission_request" else None


@pytest.mark.parametrize("mode", ["deny", "accept_edits", "plan"])
def test_commands_agents_and_the_web_are_decided_by_rules_and_by_nobody_else(desk: Desk, mode: str) -> None:
    other = call("Agent", description="Touch", prompt="[[scenario:task-touch]] Go.", subagent_type="general-purpose")
    web = [call("WebFetch", url="https://docs.python.org/3/", prompt="x"), call("WebSearch", query="weather")]
    desk.script([bash("curl -s http://127.0.0.1:1/"), bash("python3 -c 1"), *web], other)
    ended = desk.run(tools=["Bash", "Agent", "WebFetch", "WebSearch"], permissions={"mode": mode})
    assert ended.ending == ("done", 0)
    own = {status for name, tool_input, status in outcomes(ended) if name != "Agent" and "touch" not in tool_input}
    assert own == {"denied"}
    assert (list(desk.cwd.iterdir()) != []) == (mode == "accept_edits")
    models = {str(request.body.get("model")) for request in desk.simulator.requests("/v1/messages")}
    assert len(models) == 1
    assert all("classif" not in str(request.body.get("system")) for request in desk.simulator.requests("/v1/messages"))


COMMANDS = [
    *("docker ps", "lsof", "ss", "pgrep -a x", "ps aux", "du -a /", "echo /etc/*", "test -f /etc/passwd && echo there"),
    *("cat linked*", "which ls", "id", "git log", "find . -name x", "cd .. && cat secret.txt", "echo a; lsof"),
]


@pytest.mark.parametrize("mode", ["deny", "plan", "accept_edits"])
def test_of_commands_only_those_of_the_list_run_unasked(desk: Desk, mode: str) -> None:
    (desk.home.root / "secret.txt").write_text("canary-of-the-file")
    (desk.cwd / "linked").symlink_to(desk.home.root / "secret.txt")
    desk.file("a", "content-a")
    desk.script([bash(command) for command in [*COMMANDS, "cat a | wc -l", "echo hello", "ls"]])
    ended = desk.run(tools=["Bash"], permissions={"mode": mode})
    statuses = {event["input"]["command"]: "" for event in ended.of("tool_call")}
    calls = {event["tool_use_id"]: event["input"]["command"] for event in ended.of("tool_call")}
    statuses |= {calls[event["tool_use_id"]]: event["status"] for event in ended.of("tool_result")}
    assert {command for command, status in statuses.items() if status == "ok"} == {"cat a | wc -l", "echo hello", "ls"}
    assert {statuses[command] for command in COMMANDS} == {"denied"}
    assert "canary" not in str(ended.events)


def test_other_commands_are_asked_about_and_the_question_says_why(desk: Desk) -> None:
    desk.script([bash("id"), bash("echo hello")])
    ended = desk.converse(_refuse, tools=["Bash"], permissions={"mode": "ask"})
    [question] = ended.of("permission_request")
    assert question["input"]["command"] == "id"
    assert "No rule allows" in question["reason"]


def test_a_rule_allows_what_it_names_and_no_command_beside_it(desk: Desk) -> None:
    desk.script([bash("id -u"), bash("id -u && lsof"), bash("id -u $(lsof)"), bash("id -u | wc -l")])
    ended = desk.run(tools=["Bash"], permissions={"allow": ["Bash(id:*)"]})
    assert sorted(status for _, _, status in outcomes(ended)) == ["denied", "denied", "ok", "ok"]


def test_a_pending_command_that_is_not_of_the_list_does_not_run_in_a_mode_without_decisions(desk: Desk) -> None:
    desk.script(bash("id"))
    first = desk.run(tools=["Bash"], permissions={"mode": "defer"})
    desk.script(end="So be it.")
    session = {"resume": first.last["session_id"]}
    ended = desk.run(prompt="Go on.", tools=["Bash"], permissions={"mode": "deny"}, session=session)
    assert "uid=" not in str([ended.events, desk.told_to_the_model()])


def test_a_subagents_commands_are_held_to_the_list_too(desk: Desk, tmp_path: Path) -> None:
    other = call("Agent", description="Loop", prompt="[[scenario:task-touch]] Go.", subagent_type="general-purpose")
    desk.script(other)
    ended = desk.run(tools=["Agent", "Bash"], permissions={"mode": "deny"})
    assert [event["status"] for event in ended.of("tool_result") if "parent_tool_use_id" in event] == ["denied"]
    assert list(desk.cwd.iterdir()) == []
