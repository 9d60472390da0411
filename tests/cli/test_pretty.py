"""``--pretty``: a run for a person, in a pipe and at a terminal."""

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from agent_workers.validation import check
from tests.cli.bodies import (
    ABORTED,
    SESSION,
    SESSION_ID,
    START,
    delta,
    discard,
    done,
    error,
    notice,
    thinking,
    tool_call,
    tool_result,
)
from tests.cli.conftest import Record, Scripts
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("loaded")

HOUR = 3600
REPLAY = ("agent-workers", "replay", "--pretty", "--speed", "max")
# What a text must not do: clear the screen, set the title, write to the clipboard, move back, or reorder.
HOSTILE = "a\x1b[2Jb\x1b]0;title\x07c\x9b31md\re\bf\u202eg\x1b]52;c;aGk=\x1b\\h&#27;[31mi&#13;j"


def piped(scripts: Scripts, path: Path) -> str:
    """What is shown of a recording, without the time that calls take on a busy machine."""
    return re.sub(r"^( *← .* (?:ok|error)) [\d.]+ s(?: ·)?", r"\1", scripts(*REPLAY, path).stdout, flags=re.MULTILINE)


def test_in_a_pipe_the_answer_streams_as_plain_text(scripts: Scripts, record: Record) -> None:
    path = record(START, SESSION, delta("**Hel"), delta("lo**\n\n- x"), done())
    lines = piped(scripts, path).splitlines()
    assert lines[:2] == ["simulated: no model answers", f"claude-opus-5-5 · session {SESSION_ID}"]
    assert lines[2:5] == ["**Hello**", "", "- x"]


def test_in_a_pipe_nothing_waits_for_the_end_of_a_line(scripts: Scripts, record: Record) -> None:
    zero = {"ts": "2026-01-01T00:00:00.000Z"}
    path = record(START, {**delta("Hel"), **zero}, {**delta("lo"), **zero}, done(), gap_s=HOUR)
    with scripts.running("agent-workers", "replay", "--pretty", path) as process:
        assert process.stdout
        seen = b""
        while not seen.endswith(b"Hello"):
            seen += process.stdout.read(1)
        process.terminate()
        rest, _ = process.communicate(timeout=PATIENCE_S)
    assert rest == b"\naborted (signal)\n"
    assert process.returncode == 3


def test_a_closed_pipe_ends_the_run_with_status_4(scripts: Scripts, record: Record) -> None:
    with scripts.running(
        "agent-workers", "replay", "--pretty", record(START, delta("x"), done(), gap_s=HOUR)
    ) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 4


def test_a_terminal_shows_the_newest_text_though_nothing_follows(scripts: Scripts, record: Record) -> None:
    zero = {"ts": "2026-01-01T00:00:00.000Z"}
    words = [{**delta(f"word{number} "), **zero} for number in range(200)]
    path = record(START, *words, done(), gap_s=HOUR)
    with scripts.running_at_terminal("agent-workers", "replay", "--pretty", path) as shown:
        shown.until("word199")
        shown.process.send_signal(signal.SIGINT)
        terminal, status = shown.to_end()
    assert "aborted (signal)" in terminal.text
    assert terminal.text.count("word100") == 1
    assert status == 3


@pytest.mark.usefixtures("installed")
def test_at_a_terminal_markdown_is_rendered(scripts: Scripts, record: Record) -> None:
    terminal, status = scripts.at_terminal(*REPLAY, record(START, delta("# Title\n\nSome **bold** text."), done()))
    assert "Some bold text." in terminal.text
    assert "1" in terminal.styles
    assert status == 0


def test_a_long_paragraph_does_not_hold_up_the_run(scripts: Scripts, record: Record) -> None:
    words = [delta(f"word{number} ") for number in range(20_000)]
    terminal, status = scripts.at_terminal(*REPLAY, record(START, *words, done()))
    assert terminal.text.count("word12345") == 1
    assert status == 0


@pytest.mark.parametrize("rows", [4, 10, 60])
def test_an_answer_longer_than_the_terminal_stands_there_once_and_in_order(
    rows: int, scripts: Scripts, record: Record
) -> None:
    paragraphs = "".join(
        f"Paragraph {number} has some words that fill a line or two of it.\n\n" for number in range(30)
    )
    code = "```python\n" + "".join(f"line_{number} = {number}\n" for number in range(80)) + "```\n\n"
    text = paragraphs + code + "The end.\n"
    pieces = [delta(text[at : at + 7]) for at in range(0, len(text), 7)]
    terminal, _ = scripts.at_terminal(*REPLAY, record(START, *pieces, done()), columns=40, rows=rows)
    for words in [*(f"Paragraph {number} " for number in range(30)), *(f"line_{n} =" for n in range(80)), "The end."]:
        assert terminal.text.count(words) == 1, words
    assert terminal.text.index("Paragraph 29") < terminal.text.index("line_0 =") < terminal.text.index("line_79 =")


@pytest.mark.parametrize(
    "text", ["[red]not red[/red]", ":smile:", "<b>tag</b> and <kbd>key</kbd></kbd>", "[bold]x", "[/]"]
)
def test_text_is_never_read_as_markup(text: str, scripts: Scripts, record: Record) -> None:
    path = record(START, thinking(text), delta(text, 2), notice(text), error(message=text))
    assert piped(scripts, path).count(text) == 4
    terminal, _ = scripts.at_terminal(*REPLAY, path)
    assert terminal.text.count(text) == 4


def test_no_escape_sequence_of_others_reaches_the_terminal(scripts: Scripts, record: Record) -> None:
    call = {**tool_call(), "name": HOSTILE, "input": {"x": HOSTILE}}
    session = {**SESSION, "model": HOSTILE, "session_id": HOSTILE}
    code = f"```{HOSTILE}\n{HOSTILE}\n```\n\n[{HOSTILE}](http://x/{HOSTILE}) ![{HOSTILE}](http://y/{HOSTILE})"
    bodies = (START, session, thinking(HOSTILE), delta(HOSTILE, 2), call, tool_result(HOSTILE), delta(code, 3))
    path = record(*bodies, notice(HOSTILE), error(code=HOSTILE, message=HOSTILE))
    plain = piped(scripts, path)
    assert not [character for character in plain if ord(character) < 0x20 and character != "\n"]
    assert not [character for character in plain if 0x7F <= ord(character) < 0xA0 or character == "\u202e"]
    terminal, status = scripts.at_terminal(*REPLAY, path)  # which fails on a sequence that is not the renderer's own
    assert "title" in terminal.text
    assert status == 1


def test_superseded_text_is_removed_from_the_terminal_and_marked_in_a_pipe(scripts: Scripts, record: Record) -> None:
    wrong = delta("Wrong one.\n\nWrong two.\n\nWrong", 2)
    bodies = (START, delta("Kept.\n\n"), wrong, notice("Careful."), discard(2), delta("Right.", 3), done())
    plain = piped(scripts, record(*bodies))
    assert plain.index("Wrong two.") < plain.index("superseded (retry)") < plain.index("Right.")
    terminal, _ = scripts.at_terminal(*REPLAY, record(*bodies))
    assert "Wrong" not in terminal.text
    for words in ("Kept.", "Careful.", "Right."):
        assert terminal.text.count(words) == 1, words


def test_superseded_text_that_has_scrolled_away_is_marked(scripts: Scripts, record: Record) -> None:
    wrong = "".join(f"Wrong {number}.\n\n" for number in range(30))
    path = record(START, delta(wrong), notice("Careful."), discard(1), delta("Right.", 2), done())
    text = scripts.at_terminal(*REPLAY, path, rows=10)[0].text
    assert text.index("Wrong 0.") < text.index("superseded (retry)") < text.index("Right.")


def test_what_happens_beside_the_answer_is_told_on_short_lines(scripts: Scripts, record: Record) -> None:
    retry = {
        "type": "retry",
        "attempt": 1,
        "max_attempts": 3,
        "delay_ms": 1500,
        "http_status": 529,
        "code": "overloaded",
    }
    lines = piped(
        scripts, record(START, thinking("Hm."), tool_call(), tool_result("Friday\n" * 90), retry, done())
    ).splitlines()
    assert lines[1] == "thinking: Hm."
    assert lines[2] == "→ Bash date"
    assert lines[3].startswith("← Bash ok Friday Friday")
    assert len(lines[3]) < 125
    assert lines[4] == "↻ overloaded (HTTP 529): attempt 1 of 3 in 1.5 s"


def call(use_id: str, name: str, tool_input: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "tool_call", "tool_use_id": use_id, "name": name, "input": tool_input, **fields}


def result(use_id: str, status: str, content: str, **fields: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": use_id, "status": status, "content": content, **fields}


@pytest.mark.parametrize(
    ("name", "tool_input", "told"),
    [
        ("Bash", {"command": "ls -l\n  /tmp", "timeout": 5}, "ls -l /tmp"),
        ("Edit", {"file_path": "/a/b", "old_string": "x", "new_string": "y"}, "/a/b"),
        ("Grep", {"pattern": "x.y", "path": "src"}, "x.y in src"),
        ("WebFetch", {"url": "https://example.com", "prompt": "Sum up."}, "https://example.com"),
        ("Agent", {"description": "Look around", "prompt": "…"}, "Look around"),
        ("mcp__files__list", {"depth": 2}, '{"depth": 2}'),
        ("Bash", {"command": 1}, '{"command": 1}'),
        ("Bash", {}, "{}"),
        ("Write", {"file_path": "a" * 200}, "a" * 99 + "…"),
    ],
)
def test_a_call_is_told_by_the_essence_of_its_input(
    name: str, tool_input: dict[str, Any], told: str, scripts: Scripts, record: Record
) -> None:
    assert f"→ {name} {told}\n" in piped(scripts, record(START, call("1", name, tool_input), done()))


def test_calls_at_once_are_told_apart(scripts: Scripts, record: Record) -> None:
    calls = (call("1", "Bash", {"command": "a"}), call("2", "Bash", {"command": "b"}))
    results = (result("2", "error", "No."), result("1", "ok", "Yes."), call("3", "Read", {}), result("3", "ok", "3"))
    lines = piped(scripts, record(START, *calls, *results, done())).splitlines()
    assert lines[3:5] == ["← Bash (b) error No.", "← Bash (a) ok Yes."]
    assert lines[6] == "← Read ok 3"


def test_a_result_tells_how_long_its_call_took(scripts: Scripts, record: Record) -> None:
    path = record(START, call("1", "Bash", {"command": "make"}), result("1", "ok", "Made."), done(), gap_s=0.2)
    shown = scripts("agent-workers", "replay", "--pretty", path).stdout
    told = re.search(r"^← Bash ok (\d+\.\d) s · Made\.$", shown, re.MULTILINE)
    assert told
    assert float(told[1]) >= 0.2


def test_the_calls_of_a_subagent_are_indented(scripts: Scripts, record: Record) -> None:
    agent = call("1", "Agent", {"description": "Look around"})
    task = {"type": "task", "task_id": "t", "tool_use_id": "1"}
    news = (
        {**task, "status": "started", "description": "Look around"},
        {**task, "status": "completed", "description": ""},
    )
    inner = (
        call("2", "Agent", {}, parent_tool_use_id="1"),
        call("3", "Read", {"file_path": "x"}, parent_tool_use_id="2"),
    )
    outer = (result("3", "ok", "3", parent_tool_use_id="2"), *news[1:], {**news[1], "description": "Found."})
    lines = piped(
        scripts, record(START, agent, news[0], *inner, *outer, result("1", "ok", "Found."), done())
    ).splitlines()
    assert lines[1:8] == [
        *("→ Agent Look around", "· started: Look around", "  → Agent {}", "    → Read x", "    ← Read ok 3"),
        *("· completed: Look around", "← Agent ok Found."),
    ]


@pytest.mark.parametrize(
    ("behavior", "by", "told"),
    [
        ("allow", "client", "✓ Write allowed by the application"),
        ("deny", "client", "✗ Write denied by the application"),
        ("deny", "timeout", "✗ Write denied: nobody answered in time"),
        ("deny", "abort", "✗ Write denied: the run was stopped"),
        ("deny", "policy", "✗ Write denied by the host's rules"),
    ],
)
def test_a_question_is_told_and_who_settled_it(
    behavior: str, by: str, told: str, scripts: Scripts, record: Record
) -> None:
    asked = {"type": "permission_request", "permission_id": "p", "tool_use_id": "1", "name": "Write"}
    asked |= {"input": {"file_path": "/x"}, "reason": "It is outside.", "expires_at": "2026-01-01T00:02:00.000Z"}
    resolved = {"type": "permission_resolved", "permission_id": "p", "behavior": behavior, "by": by}
    lines = piped(scripts, record(START, call("1", "Write", {"file_path": "/x"}), asked, resolved, done())).splitlines()
    assert lines[2].startswith("? may Write run (It is outside.) /x")
    assert lines[3] == told


def test_what_the_agent_asks_the_user_is_told_with_the_answers_on_offer_and_who_answered(
    scripts: Scripts, record: Record
) -> None:
    options = [{"label": "Graz\x1b[31m"}, {"label": "Linz"}]
    items = [{"question": q, "options": options, "multi": False} for q in ("Which\ncity?", "And then?")]
    asked = {"type": "question", "question_id": "q", "tool_use_id": "1", "questions": items}
    settled = {"type": "question_resolved", "question_id": "q"}
    lines = piped(
        scripts,
        record(
            START,
            call("1", "AskUserQuestion", {"questions": items}),
            asked | {"expires_at": "2026-01-01T00:02:00.000Z"},
            settled | {"by": "client", "actor": "user-7"},
            settled | {"by": "timeout"},
            {"type": "steered", "id": "s", "actor": "Ada\x07"},
            {"type": "steered", "id": "s"},
            done(),
        ),
    ).splitlines()
    assert lines[1] == "→ AskUserQuestion Which city?; And then?"
    assert lines[2].startswith("? the agent asks: Which city? (Graz␛[31m, Linz); And then? (Graz␛[31m, Linz)")
    assert lines[3:7] == [
        "✓ answered by the application (user-7)",
        "✗ not answered: nobody answered in time",
        "» the agent has read what was said to it (Ada␇)",
        "» the agent has read what was said to it",
    ]


def test_a_denied_call_has_a_color_of_its_own(scripts: Scripts, record: Record) -> None:
    styles = [
        scripts.at_terminal(*REPLAY, record(START, call("1", "Bash", {}), result("1", status, "x"), error()))[0].styles
        for status in ("ok", "error", "denied")
    ]
    assert styles[2] - styles[0] - styles[1]


def test_a_tool_of_the_application_is_told_as_such(scripts: Scripts, record: Record) -> None:
    asked = {"type": "app_tool_call", "call_id": "c", "name": "find", "input": {}, "expires_at": "-"}
    called = call("1", "mcp__app__find", {"city": "Graz"})
    lines = piped(scripts, record(START, called, asked, result("1", "ok", "Graz."), done())).splitlines()
    assert lines[1:4] == [
        '→ find (of the application) {"city": "Graz"}',
        "  the application is to run find",
        "← find (of the application) ok Graz.",
    ]


def test_the_end_lists_what_was_denied(scripts: Scripts, record: Record) -> None:
    denials = [{"tool_use_id": str(n), "name": "Bash", "input": {"command": f"rm {n}"}} for n in range(22)]
    plain = piped(scripts, record(START, done(denials=[*denials, {"tool_use_id": "x", "name": "Read"}])))
    assert "\n  denied: Bash rm 0\n" in plain
    assert "\n  denied: Bash rm 19\n  denied: 3 more\n" in plain


def test_a_call_that_waits_for_a_decision_is_told_with_how_to_decide(scripts: Scripts, record: Record) -> None:
    pending = {"tool_use_id": "toolu_1", "name": "Bash", "input": {"command": "date"}}
    lines = piped(scripts, record(START, done(stop_reason="permission_required", pending=pending))).splitlines()
    assert lines[1].startswith("done: permission_required · ")
    assert lines[2] == "  waits for a decision: Bash date"
    fields = json.loads("{" + lines[3].removeprefix('to allow it (or "deny"): ') + "}")
    assert fields == {
        "session": {"resume": SESSION_ID},
        "permissions": {"mode": "defer", "decision": {"tool_use_id": "toolu_1", "behavior": "allow"}},
    }


def test_the_last_lines_tell_the_cost_and_how_to_go_on(scripts: Scripts, record: Record) -> None:
    *_, closing, hint = piped(scripts, record(START, delta("x"), done())).splitlines()
    assert closing.startswith("done · 10 tokens in, 3 out · $0.0123 · ")
    assert closing.endswith(" s · 2 turns")
    assert hint == f'to go on: "session": {{"resume": "{SESSION_ID}"}}'


def test_structured_output_is_shown(scripts: Scripts, record: Record) -> None:
    assert '{\n  "n": "\u00e4"\n}\ndone' in piped(scripts, record(START, done(output={"n": "\u00e4"})))


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        (
            error("overloaded", retryable=True, retry_after_ms=2000),
            "the same request may succeed later: try again in 2.0 s",
        ),
        (error("auth"), "error auth: It did not work."),
        (ABORTED, "aborted (client)"),
        (done(stop_reason="max_tokens"), "done: max_tokens"),
    ],
)
def test_every_ending_is_told(ending: dict[str, Any], expected: str, scripts: Scripts, record: Record) -> None:
    assert expected in piped(scripts, record(START, ending))
    assert expected in scripts.at_terminal(*REPLAY, record(START, ending))[0].text


def test_unknown_types_and_what_is_not_for_people_are_left_out(scripts: Scripts, record: Record) -> None:
    plain = piped(scripts, record(START, {"type": "invented", "text": "secret"}, done()))
    assert plain.splitlines()[1].startswith("done")


def test_a_recording_that_holds_anything_is_shown_as_far_as_it_goes(scripts: Scripts, record: Record) -> None:
    retry, call = {"type": "retry", "delay_ms": "soon"}, {"type": "tool_call", "input": [1]}
    path = record(START, delta("x"), retry, {"type": "discard", "blocks": [[1], {}]}, call, done(cost_usd="much"))
    for output in (piped(scripts, path), scripts.at_terminal(*REPLAY, path)[0].text):
        assert "x" in output.splitlines()
        assert '! {"type": "done"' in output


def test_a_refused_request_tells_each_problem(scripts: Scripts) -> None:
    shown = scripts("agent-chat", "--pretty", given='{"prompt": "x", "systemPrompt": "y", "max_turns": 0}')
    assert shown.stdout.splitlines() == [
        "error invalid_request: The request is not valid.",
        "  /max_turns: must be at least 1",
        "  /systemPrompt: is not a known field (did you mean system_prompt?)",
    ]
    assert shown.returncode == 2


@pytest.mark.parametrize(("variables", "redraws"), [({"TERM": "dumb"}, False), ({"TERM": ""}, False), ({}, True)])
def test_a_terminal_that_cannot_redraw_gets_plain_text(
    variables: dict[str, str], redraws: bool, scripts: Scripts, record: Record
) -> None:
    terminal, _ = scripts.at_terminal(*REPLAY, record(START, delta("**x**"), done()), **variables)
    assert ("**x**" not in terminal.text) is redraws
    assert bool(terminal.styles) is redraws


def test_no_color_is_respected(scripts: Scripts, record: Record) -> None:
    path = record(START, delta("# T\n\n```py\nx = 1\n```\n\n`code`"), error())
    terminal, _ = scripts.at_terminal(*REPLAY, path, NO_COLOR="1")
    assert terminal.styles <= {"", "0", "1", "2", "3", "4"}
    assert scripts.at_terminal(*REPLAY, path)[0].styles & {"31", "91"}


@pytest.mark.usefixtures("installed")
def test_the_worker_itself_renders_its_run(scripts: Scripts, tmp_path: Path) -> None:
    request = tmp_path / "request.json"
    request.write_text(json.dumps({"prompt": "Hello"}))
    plain = scripts("agent-chat", "--simulate", "--pretty", given=request.read_bytes())
    assert "\nHello! I am the agent-workers simulator, not a model. You said: Hello\ndone · " in plain.stdout
    terminal, status = scripts.at_terminal("agent-chat", "--simulate", "--pretty", given=request, columns=100)
    assert "Hello! I am the agent-workers simulator, not a model. You said: Hello\n\ndone · " in terminal.text
    assert (plain.returncode, status) == (0, 0)


def test_what_a_command_printed_is_shown_when_it_is_played_again(scripts: Scripts, tmp_path: Path) -> None:
    request = {
        "prompt": "Build it.",
        "cwd": str(tmp_path),
        "tools": ["Bash"],
        "permissions": {"allow": ["Bash"]},
        "stream": {"tool_output": True},
    }
    ran = scripts("agent-task", "--simulate=task-output", given=json.dumps(request))
    assert check(ran.stdout.encode(), "events")[1] == []
    printed = [event["text"] for event in map(json.loads, ran.stdout.splitlines()) if event["type"] == "tool_output"]
    assert len(printed) > 3
    recording = tmp_path / "run.ndjson"
    recording.write_text(ran.stdout)
    terminal, status = scripts.at_terminal(*REPLAY, recording)
    assert status == 0
    shown = [line for line in terminal.text.splitlines() if line.startswith("  │ ")]
    assert shown == ["  │ 100% built", "  │ All parts are there.", "  │ One part is old."]
    assert "32" in terminal.styles


def test_a_run_whose_first_event_is_of_a_later_attempt_begins_as_any(scripts: Scripts, record: Record) -> None:
    path = record({**START, "attempt": 2}, delta("Kept"), done("Kept"))
    assert piped(scripts, path).splitlines()[:2] == ["simulated: no model answers", "Kept"]


def test_a_run_that_begins_again_says_so_and_ends_what_the_lost_attempt_left_open(
    scripts: Scripts, record: Record
) -> None:
    printed = {"type": "tool_output", "tool_use_id": "toolu_1", "stream": "stdout", "text": "half a line"}
    again = {**START, "attempt": 2, "simulated": True}
    path = record(START, delta("Lost"), tool_call(), printed, again, delta("Kept"), done("Kept"))
    lines = piped(scripts, path).splitlines()
    assert lines[:6] == [
        "simulated: no model answers",
        "Lost",
        "→ Bash date",
        "  │ half a line",
        "↻ the run begins again (attempt 2): what stands above no longer counts",
        "Kept",
    ]
