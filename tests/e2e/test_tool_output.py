"""What commands print is told while they print it, and nothing else changes by it."""

from typing import Any

import pytest

from agent_workers.engine.printed import BOUND
from tests.e2e.desk import Desk, bash, call, permit
from tests.e2e.stream import Event
from tests.e2e.worker import Ended
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("loaded")

BASH: dict[str, Any] = {"tools": ["Bash"], "permissions": {"allow": ["Bash"]}}
LONE = "\N{REPLACEMENT CHARACTER}"
LIVE: dict[str, Any] = {**BASH, "stream": {"tool_output": True}}


def printed(ended: Ended) -> dict[str, str]:
    """What was told of each call, by its command."""
    commands = {event["tool_use_id"]: event["input"].get("command", "") for event in ended.of("tool_call")}
    texts = dict.fromkeys(commands.values(), "")
    for event in ended.of("tool_output"):
        texts[commands[event["tool_use_id"]]] += event["text"]
    return texts


def check_order(events: list[Event]) -> None:
    """Each piece comes between the call and its result."""
    opened: set[str] = set()
    for event in events:
        if event["type"] == "tool_call":
            opened.add(event["tool_use_id"])
        elif event["type"] == "tool_result":
            opened.discard(event["tool_use_id"])
        elif event["type"] == "tool_output":
            assert event["tool_use_id"] in opened


COMMANDS = {
    "echo out; echo err >&2; echo out": "out\nerr\nout\n",
    "for n in $(seq 40); do echo $n; echo -$n >&2; done": "".join(f"{n}\n-{n}\n" for n in range(1, 41)),
    r"printf '\xff\0\033[31mred\033[0m\r1%%\r2%%\r\n'; exit 3": LONE + "\0\x1b[31mred\x1b[0m\r1%\r2%\r\n",
    "echo before; no-such-command; exit $?": "before\n/bin/bash: line 1: no-such-command: command not found\n",
    "echo piped; yes | head -1 > /dev/null; exit ${PIPESTATUS[0]}": "piped\n",
    "echo killed; kill -9 $$": "killed\n",
    "echo ended; kill -TERM $$": "ended\n",
    "(setsid sh -c 'exec > /dev/null 2>&1 < /dev/null; sleep 300' &); echo detached": "detached\n",
    "cat | wc -c": "0\n",
    "exec > /dev/null; echo lost; echo kept >&2": "kept\n",
    "echo gone; : > /dev/stdout; echo new": "new\n",
    "[ -t 1 ] || readlink /proc/self/fd/2 | grep -c output": "1\n",
    "true": "",
}


def test_a_result_is_the_same_with_and_without_the_live_output(desk: Desk) -> None:
    desk.script(*map(bash, COMMANDS))
    plain = desk.run(**BASH)
    desk.script(*map(bash, COMMANDS))
    live = desk.run(**LIVE)
    assert plain.of("tool_output") == []
    results = [[(event["status"], event["content"]) for event in run.of("tool_result")] for run in (plain, live)]
    assert results[0] == results[1]
    assert len(results[0]) == len(COMMANDS)
    # What was emptied before it was read is not told; of what was over before it was seen, the result says the text.
    told = {command: text.removeprefix("gone\n").strip() for command, text in printed(live).items()}
    assert told == {command: text.strip() for command, text in COMMANDS.items()}
    check_order(live.events)


def test_a_line_is_told_while_the_command_goes_on(desk: Desk) -> None:
    wait = "until [ -e $n ]; do sleep 0.05; done"
    exact = r"printf '\xff\0\033[31mred\033[0m\r1%%\r2%%\r\n'"
    desk.script(bash(f"for n in 1 2 3; do echo $n; {wait}; done; {exact}; n=4; {wait}"))
    running = desk.start("--control")
    running.send(desk.request(**LIVE))
    lines = []
    for event in running.told():
        if event["type"] == "tool_output":
            lines.append(event["text"])
            desk.file(str(len(lines)))
    assert running.end().ending == ("done", 0)
    assert lines == ["1\n", "2\n", "3\n", f"{LONE}\0\x1b[31mred\x1b[0m\r1%\r2%\r\n"]


def test_calls_at_once_of_the_agent_and_of_its_subagents_are_told_apart(desk: Desk) -> None:
    look = call("Agent", description="Look", prompt="[[scenario:tool-loop]] Look around.", subagent_type="scout")
    scout = {"description": "Looks around.", "prompt": "You look around.", "tools": ["Bash"]}
    quoted, plain = """sleep 0.3; echo "it's 'one'" | cat""", "sleep 0.3; echo two >&2; exit 7"
    desk.script([bash(quoted), bash(plain), look, look])
    ended = desk.run(**{**LIVE, "tools": ["Agent", "Bash"]}, agents={"scout": scout})
    assert ended.ending == ("done", 0)
    told = printed(ended)
    assert (told[quoted].strip(), told[plain].strip()) == ("it's 'one'", "two")
    subagents = {event["tool_use_id"] for event in ended.of("tool_call") if event.get("parent_tool_use_id")}
    assert len(subagents) == 2
    outputs = {event["tool_use_id"]: event["text"] for event in ended.of("tool_output")}
    assert {outputs[call_id].strip() for call_id in subagents} == {"simulated"}
    check_order(ended.events)


def test_a_command_that_a_person_has_changed_is_told_of_its_call(desk: Desk) -> None:
    slow = "echo changed; until [ -e go ]; do sleep 0.05; done"
    desk.script([bash("touch x"), bash("touch y")])
    permissions = {"mode": "ask"}

    def reply(event: Event) -> Event | None:
        if event["type"] == "permission_request":
            return permit(event, updated_input={"command": f"{slow}; {event['input']['command']}"})
        if event["type"] == "tool_output":
            desk.file("go")
        return None

    ended = desk.converse(reply, **{**LIVE, "permissions": permissions})
    told = {command: text.strip() for command, text in printed(ended).items()}  # the second is over at once
    assert told == {"touch x": "changed", "touch y": "changed"}
    check_order(ended.events)


def test_nothing_is_told_after_the_end_of_a_run_that_is_stopped(desk: Desk) -> None:
    desk.script(bash("while :; do echo more; done"))
    running = desk.start("--control")
    running.send(desk.request(**LIVE))
    running.wait_for("tool_output", count=3)
    running.send({"type": "abort", "id": "stop"})
    assert running.end().ending == ("aborted", 3)


def test_a_flood_is_cut_and_counted(desk: Desk) -> None:
    desk.script(bash("yes | head -c 50M"), bash("seq 100000; sleep 0.1"))
    ended = desk.run(**LIVE)
    flood, _ = ended.of("tool_call")
    pieces = [event for event in ended.of("tool_output") if event["tool_use_id"] == flood["tool_use_id"]]
    assert "".join(event["text"] for event in pieces) == "y\n" * (BOUND // 2)
    assert [event["truncated_bytes"] for event in pieces if "truncated_bytes" in event] == [(50 << 20) - BOUND]
    assert "truncated_bytes" in pieces[-1]
    assert len(pieces) < 20
    assert printed(ended)["seq 100000; sleep 0.1"] == "".join(f"{n}\n" for n in range(1, 100001))


def test_a_command_does_not_wait_for_the_reader(desk: Desk) -> None:
    desk.script(bash("seq 200000; touch printed; until [ -e go ]; do sleep 0.05; done; echo end"))
    running = desk.start("--control", reading=False)
    running.send(desk.request(**LIVE))
    until((desk.cwd / "printed").exists)
    desk.file("go")
    running.read()
    ended = running.end()
    assert ended.ending == ("done", 0)
    assert ended.of("tool_output")[-1]["truncated_bytes"] > 0
    check_order(ended.events)
