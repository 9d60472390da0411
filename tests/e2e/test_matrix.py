"""What each mode lets each file tool reach: inside the working directories and nothing else. Holds for each new CLI."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent_workers.simulator.scenario import ToolUse
from tests.e2e.conftest import desk_at
from tests.e2e.desk import Desk, bash, call, permit
from tests.e2e.loaded import LoadedWorkers
from tests.e2e.stream import Event
from tests.e2e.worker import Ended

pytestmark = pytest.mark.usefixtures("loaded")
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


def places_of(desk: Desk) -> dict[str, str]:
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


@dataclass(frozen=True)
class Tried:
    """A run in which all of this was tried, first outside and then inside.

    Attributes:
        mode: In which it ran.
        ended: The whole of it.
        calls: How many calls lead out.
        outside: What was told of them.
        inside: What was told of the others.
        before: The files outside before the run.
    """

    mode: str
    desk: Desk
    ended: Ended
    calls: int
    outside: Ended
    inside: Ended
    before: dict[Path, bytes]


@pytest.fixture(scope="module", params=MODES)
def tried(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, loaded: LoadedWorkers
) -> Iterator[Tried]:
    mode: str = request.param
    with desk_at(tmp_path_factory.mktemp("tried"), loaded) as desk:
        places = places_of(desk)
        before = files_outside(desk)
        out = [each for number, kind in enumerate(OUTSIDE) for each in attempts(places[kind], str(number))]
        within = [each for kind in ("inside", "hard link") for each in attempts(places[kind], "")]
        reading = [each for each in within if each.name in READING]
        writing = [each for each in attempts(places["inside"], "") if each.name in ("Edit", "Write")]
        desk.script(out, reading, *writing)
        ended = desk.converse(_refuse, tools=TOOLS, permissions=MODES[mode])
        first = ended.of("tool_call")[len(out)]["seq"]
        parts = [[event for event in ended.events if (event["seq"] < first) == early] for early in (True, False)]
        outside, inside = (Ended(ended.status, b"", "", events) for events in parts)
        yield Tried(mode, desk, ended, len(out), outside, inside, before)


def files_outside(desk: Desk) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (desk.home.root / "outside").iterdir()}


def test_file_tools_stay_inside_whatever_the_mode_and_the_way(tried: Tried) -> None:
    assert tried.ended.ending == ("done", 0)
    assert len(outcomes(tried.outside)) == tried.calls
    # A pattern that leads out is sometimes a search without a find.
    found = [event["content"] for event in tried.outside.of("tool_result") if event["status"] == "ok"]
    assert set(found) <= {"No files found"}
    assert "canary-of-the-file" not in str(tried.outside.events)
    assert files_outside(tried.desk) == tried.before
    assert bool(tried.outside.of("permission_request")) == tried.mode.startswith("ask")


def test_inside_they_read_and_change_files_where_the_mode_says_so(tried: Tried) -> None:
    inside = outcomes(tried.inside)
    assert {status for name, _, status in inside if name in READING} == {"ok"}
    assert {status for name, _, status in inside if name not in READING} == (
        {"ok"} if tried.mode in WRITING else {"denied"}
    )
    assert (tried.desk.cwd / "inside" / "new-.txt").exists() == (tried.mode in WRITING)


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
