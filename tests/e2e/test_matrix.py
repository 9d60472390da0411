"""What each mode lets each file tool reach: inside the working directories and nothing else. Holds for each new CLI."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
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
    "deny with rules": {"mode": "deny", "allow": [*TOOLS, "Bash(id:*)"]},
    "ask": {"mode": "ask"},
    "ask with rules": {"mode": "ask", "allow": TOOLS},
    "defer with rules": {"mode": "defer", "allow": TOOLS},
    "accept_edits": {"mode": "accept_edits"},
    "plan": {"mode": "plan"},
}
WRITING = {"deny with rules", "ask with rules", "defer with rules", "accept_edits"}
"""Those in which files in the working directory are changed unasked."""
WITHOUT_ANYBODY = ["deny", "accept_edits", "plan"]
"""Those in which nobody decides and no rule does."""
OUTSIDE = ("absolute", "dots", "link", "link in a link", "home", "proc")


def places_of(desk: Desk) -> dict[str, str]:
    """A directory of each kind; the hard link is a file of the working directory, whatever else it is."""
    outside = desk.home.root / "outside"
    outside.mkdir()
    (outside / "notes.txt").write_text("canary-of-the-file")
    (outside / "book.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    (desk.home.root / "home" / "notes.txt").write_text("canary-of-the-file")
    (desk.cwd / "link").symlink_to(outside)
    (desk.cwd / "notes-link").symlink_to(outside / "notes.txt")
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


COMMANDS = [
    *("docker ps", "lsof", "ss", "pgrep -a x", "ps aux", "du -a /", "echo /etc/*", "test -f /etc/passwd && echo there"),
    *("cat linked*", "which ls", "id", "git log", "find . -name x", "cd .. && cat secret.txt", "echo a; lsof"),
]
LISTED = ["cat a | wc -l", "echo hello", "ls"]
PROGRAMS = ["curl -s http://127.0.0.1:1/", "python3 -c 1"]


def beside_files(mode: str) -> list[list[ToolUse]]:
    """What is tried after the files, a list at once: commands, the web and an agent."""
    if mode == "ask":
        return [[bash("id"), bash("echo hello")]]
    if mode == "deny with rules":
        return [[bash("id -u"), bash("id -u && lsof"), bash("id -u $(lsof)"), bash("id -u | wc -l")]]
    if mode == "defer with rules":
        return [[bash("id")]]
    if mode not in WITHOUT_ANYBODY:
        return []
    web = [call("WebFetch", url="https://docs.python.org/3/", prompt="x"), call("WebSearch", query="weather")]
    agent = call("Agent", description="Touch", prompt="[[scenario:task-touch]] Go.", subagent_type="general-purpose")
    return [[bash(command) for command in [*COMMANDS, *LISTED]], [*map(bash, PROGRAMS), *web], [agent]]


@dataclass(frozen=True)
class Tried:
    """A run in which all of this was tried, first with files outside, then with those inside, and then what is no file.

    Attributes:
        ended: The whole of it.
        calls: How many calls lead out.
        outside: What was told of them.
        inside: What was told of those that do not.
        others: What was told of the rest.
        before: The files outside before the run.
    """

    desk: Desk
    ended: Ended
    calls: int
    outside: Ended
    inside: Ended
    others: Ended
    before: dict[Path, bytes]


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory, loaded: LoadedWorkers) -> Iterator[Callable[[str], Tried]]:
    """Tries it in a mode, once."""
    with ExitStack() as desks:

        @cache
        def tried(mode: str) -> Tried:
            return try_at(desks.enter_context(desk_at(tmp_path_factory.mktemp("tried"), loaded)), mode)

        yield tried


def try_at(desk: Desk, mode: str) -> Tried:
    places = places_of(desk)
    (desk.home.root / "secret.txt").write_text("canary-of-the-secret")
    (desk.cwd / "linked").symlink_to(desk.home.root / "secret.txt")
    desk.file("a", "content-a")
    before = files_outside(desk)
    out = [each for number, kind in enumerate(OUTSIDE) for each in attempts(places[kind], str(number))]
    out.append(call("Read", file_path="notes-link"))
    within = [each for kind in ("inside", "hard link") for each in attempts(places[kind], "")]
    reading = [each for each in within if each.name in READING]
    writing = [each for each in attempts(places["inside"], "") if each.name in ("Edit", "Write")]
    desk.script(out, reading, *writing, *beside_files(mode))
    tools = [*TOOLS, "Bash", "Agent", "WebFetch", "WebSearch"]
    ended = desk.converse(_refuse, tools=tools, permissions=MODES[mode])
    starts = [event["seq"] for event in ended.of("tool_call")] + [ended.last["seq"]]
    inside, others = starts[len(out)], starts[len(out) + len(reading) + len(writing)]

    def part(first: int, end: int) -> Ended:
        return Ended(ended.status, b"", "", [event for event in ended.events if first <= event["seq"] < end])

    return Tried(desk, ended, len(out), part(0, inside), part(inside, others), part(others, starts[-1]), before)


def files_outside(desk: Desk) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (desk.home.root / "outside").iterdir()}


@pytest.mark.parametrize("mode", MODES)
def test_file_tools_stay_inside_whatever_the_mode_and_the_way(tried: Callable[[str], Tried], mode: str) -> None:
    run = tried(mode)
    assert run.ended.ending == ("done", 0)
    assert len(outcomes(run.outside)) == run.calls
    # A pattern that leads out is sometimes a search without a find.
    found = [event["content"] for event in run.outside.of("tool_result") if event["status"] == "ok"]
    assert set(found) <= {"No files found"}
    told = json.dumps(run.desk.simulator.requests("/v1/messages")[1].body)
    assert told.count('"tool_result"') == run.calls
    assert "canary-of-the-file" not in str(run.outside.events) + told + run.ended.stderr
    assert files_outside(run.desk) == run.before
    assert bool(run.outside.of("permission_request")) == mode.startswith("ask")


@pytest.mark.parametrize("mode", MODES)
def test_inside_they_read_and_change_files_where_the_mode_says_so(tried: Callable[[str], Tried], mode: str) -> None:
    inside = outcomes(tried(mode).inside)
    assert {status for name, _, status in inside if name in READING} == {"ok"}
    assert {status for name, _, status in inside if name not in READING} == ({"ok"} if mode in WRITING else {"denied"})
    assert (tried(mode).desk.cwd / "inside" / "new-.txt").exists() == (mode in WRITING)


def _refuse(event: Event) -> Event | None:
    return permit(event, "deny") if event["type"] == "permission_request" else None


@pytest.mark.parametrize("mode", WITHOUT_ANYBODY)
def test_commands_agents_and_the_web_are_decided_by_rules_and_by_nobody_else(
    tried: Callable[[str], Tried], mode: str
) -> None:
    run = tried(mode)
    assert run.ended.ending == ("done", 0)
    of_commands = {str(bash(command).input) for command in [*COMMANDS, *LISTED]}
    own = [
        (name, status)
        for name, tool_input, status in outcomes(run.others)
        if name != "Agent" and "touch" not in tool_input and tool_input not in of_commands
    ]
    assert sorted(own) == [(name, "denied") for name in ("Bash", "Bash", "WebFetch", "WebSearch")]
    assert (run.desk.cwd / "made-by-the-agent").exists() == (mode == "accept_edits")
    models = {str(request.body.get("model")) for request in run.desk.simulator.requests("/v1/messages")}
    assert len(models) == 1
    systems = [str(request.body.get("system")) for request in run.desk.simulator.requests("/v1/messages")]
    assert all("classif" not in system for system in systems)


@pytest.mark.parametrize("mode", WITHOUT_ANYBODY)
def test_of_commands_only_those_of_the_list_run_unasked(tried: Callable[[str], Tried], mode: str) -> None:
    others = tried(mode).others
    calls = {event["tool_use_id"]: event["input"].get("command") for event in others.of("tool_call")}
    statuses = {calls[event["tool_use_id"]]: event["status"] for event in others.of("tool_result")}
    assert {command for command in [*COMMANDS, *LISTED] if statuses[command] == "ok"} == set(LISTED)
    assert {statuses[command] for command in COMMANDS} == {"denied"}
    assert "canary" not in str(others.events)


def test_other_commands_are_asked_about_and_the_question_says_why(tried: Callable[[str], Tried]) -> None:
    [question] = tried("ask").others.of("permission_request")
    assert question["input"]["command"] == "id"
    assert "No rule allows" in question["reason"]


def test_a_rule_allows_what_it_names_and_no_command_beside_it(tried: Callable[[str], Tried]) -> None:
    statuses = [status for _, _, status in outcomes(tried("deny with rules").others)]
    assert sorted(statuses) == ["denied", "denied", "ok", "ok"]


def test_a_pending_command_that_is_not_of_the_list_does_not_run_in_a_mode_without_decisions(
    tried: Callable[[str], Tried],
) -> None:
    desk, first = tried("defer with rules").desk, tried("defer with rules").ended
    assert first.last["pending"]["input"]["command"] == "id"
    desk.script(end="So be it.")
    session = {"resume": first.last["session_id"]}
    ended = desk.run(prompt="Go on.", tools=["Bash"], permissions={"mode": "deny"}, session=session)
    assert "uid=" not in str([ended.events, desk.told_to_the_model()])


def test_a_subagents_commands_are_held_to_the_list_too(tried: Callable[[str], Tried]) -> None:
    run = tried("deny")
    assert [event["status"] for event in run.ended.of("tool_result") if "parent_tool_use_id" in event] == ["denied"]
    assert not (run.desk.cwd / "made-by-the-agent").exists()
