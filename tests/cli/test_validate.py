"""``agent-workers validate``: what is wrong, and where."""

import json
from typing import Any

import pytest

from agent_workers.validation import Fault, check
from tests.cli.bodies import ABORTED, SESSION, START, delta, discard, done, error, tool_call, tool_result
from tests.cli.conftest import Record, Scripts, lines_of

pytestmark = pytest.mark.usefixtures("loaded")

NO_TOOL_OF_A_CHAT = (
    "must be AskUserQuestion, the one tool of a chat; agent-task, which needs engine agent, has the others"
)


def stream(*bodies: dict[str, Any]) -> bytes:
    return lines_of(bodies, run="r1")


def faults(data: bytes, kind: Any = "events") -> list[str]:
    return [str(fault) for fault in check(data, kind)[1]]


# Requests


@pytest.mark.usefixtures("installed")
def test_a_valid_request_is_called_so(scripts: Scripts) -> None:
    checked = scripts("agent-workers", "validate", given='{"prompt": "Hello"}')
    assert (checked.stdout, checked.returncode) == ("a valid request\n", 0)


def test_every_fault_of_a_request_is_told_with_its_line_and_the_nearest_name(scripts: Scripts) -> None:
    request = '{\n  "prompt": "Hello",\n  "limits": {\n    "timeout": 5\n  },\n  "systemPrompt": "x"\n}\n'
    checked = scripts("agent-workers", "validate", given=request)
    assert checked.stdout.splitlines() == [
        "line 4: /limits/timeout: is not a known field; did you mean timeout_s?",
        "line 6: /systemPrompt: is not a known field; did you mean system_prompt?",
    ]
    assert checked.returncode == 1


def test_a_job_is_told_from_a_request_and_checked_with_it() -> None:
    assert check(b'{"worker": "agent-task", "prompt": "x", "cwd": "/srv"}', "auto") == ("job", [])
    assert check(b'{"worker": "agent-chat", "prompt": "x"}', "job")[1] == []
    document = b'{\n"queue": "Mail",\n"worker": "agent-chat",\n"promt": "x"}'
    assert faults(document, "auto") == [
        "line 2: /queue: must be the name of a queue: up to 64 of a-z 0-9 _ . - and a letter or digit first",
        "line 1: /prompt: is required",
        "line 4: /promt: is not a known field; did you mean prompt?",
    ]
    assert faults(b'{"worker": "agent-chat", "prompt": " "}', "job") == ["line 1: /prompt: must hold more than blanks"]


def test_the_worker_refuses_what_is_refused_here_and_for_the_same_reasons(scripts: Scripts) -> None:
    request = '{"prompt": [], "max_turns": 0, "tools": []}'
    [refusal] = scripts("agent-chat", given=request).stdout.splitlines()
    checked = scripts("agent-workers", "validate", "--json", given=request)
    without_lines = [
        {name: value for name, value in fault.items() if name != "line"} for fault in json.loads(checked.stdout)
    ]
    assert without_lines == json.loads(refusal)["details"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{\n"prompt": "Hello",\n}', "line 3: not valid JSON at line 3, column 1"),
        (b'{"prompt":\n"\xff"}', "line 2: the input is not UTF-8"),
        (b"", "line 1: the input is empty"),
        (b"[]", "line 1: the request must be a JSON object"),
        (
            b'{\n\n"v": 2, "prompt": "Hello"}',
            "line 3: /v: must be 1: this worker speaks no other version of the contract",
        ),
        (b'{"prompt":\n[{"type": "text",\n"text": 7}]}', "line 3: /prompt/0/text: must be a string, not a number"),
        (b'{"limits":\n{"a/b": {"prompt": 1}, "timeout_s": "\\u007d"}}', "line 2: /limits/timeout_s: must be a number"),
    ],
)
def test_a_fault_of_a_request_has_the_line_where_it_stands(data: bytes, expected: str) -> None:
    assert any(fault.startswith(expected) for fault in faults(data, "request")), faults(data, "request")


def test_a_missing_field_has_the_line_of_the_object_that_lacks_it() -> None:
    assert check(b'\n{\n"model": "m"}', "request")[1] == [Fault(2, "/prompt", "is required")]


def test_a_request_with_a_directory_is_read_as_the_task_workers(scripts: Scripts) -> None:
    request = {"prompt": "Hello", "cwd": str(scripts.home), "tools": ["Read"]}
    checked = scripts("agent-workers", "validate", given=json.dumps(request))
    assert (checked.stdout, checked.returncode) == ("a valid task request\n", 0)
    as_chat = scripts("agent-workers", "validate", "--kind", "request", given=json.dumps(request))
    assert as_chat.stdout.splitlines() == [
        f"line 1: /tools/0: {NO_TOOL_OF_A_CHAT}",
        "line 1: /cwd: is a field of agent-task only, which needs engine agent",
    ]


def test_a_task_without_a_directory_is_known_where_it_is_said_to_be_one() -> None:
    data = b'{"prompt": "Hello",\n"tools": ["Read"]}'
    assert faults(data, "request") == [f"line 2: /tools/0: {NO_TOOL_OF_A_CHAT}"]
    assert faults(data, "task-request") == ["line 1: /cwd: is required"]


@pytest.mark.parametrize(
    ("data", "missing"),
    [(b'{"input": {}}', "/skill"), (b'{"tool": "x"}', "/server"), (b'{"model": "m"}', "/prompt"), (b"{}", "/prompt")],
)
def test_a_request_that_lacks_what_its_worker_needs_is_told_that(data: bytes, missing: str) -> None:
    assert f"line 1: {missing}: is required" in faults(data, "auto")


def test_the_task_worker_refuses_what_is_refused_here_and_for_the_same_reasons(scripts: Scripts) -> None:
    request = {
        "prompt": "Hello",
        "cwd": str(scripts.home / "gone"),
        "tools": ["read"],
        "permissions": {"mode": "ask"},
    }
    tasks = [request, {**request, "tools": ["Reed"]}, {**request, "tools": [], "permissions": {"allow": ["Read"]}}]
    for task in tasks:
        [refusal] = scripts("agent-task", "--control", given=json.dumps(task) + "\n").stdout.splitlines()
        checked = scripts("agent-workers", "validate", "--json", given=json.dumps(task))
        assert [fault | {"line": 1} for fault in json.loads(refusal)["details"]] == json.loads(checked.stdout)


# Events


def test_a_valid_run_is_called_so(scripts: Scripts) -> None:
    data = stream(START, SESSION, delta("Hi"), done("Hi"))
    checked = scripts("agent-workers", "validate", given=data)
    assert (checked.stdout, checked.returncode) == ("a valid run\n", 0)


def test_faults_of_a_file_are_told_as_json(scripts: Scripts, record: Record) -> None:
    checked = scripts("agent-workers", "validate", "--json", record(START, {"type": "delta", "block": 1}, done()))
    assert json.loads(checked.stdout) == [{"line": 2, "pointer": "/text", "message": "is required", "rule": "schema"}]
    assert checked.returncode == 1
    assert scripts("agent-workers", "validate", "--json", record(START, done())).stdout == "[]\n"


@pytest.mark.parametrize("lone", [error("invalid_request"), ABORTED])
def test_a_lone_error_or_abort_needs_no_start(lone: dict[str, Any]) -> None:
    assert faults(stream(lone)) == []


def test_unknown_types_and_fields_are_no_faults() -> None:
    assert faults(stream(START, {"type": "invented", "x": 1}, {**delta("a"), "y": 2}, done("a"))) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({**delta("a"), "block": -1}, "line 2: /block: must be at least 0"),
        ({**delta("a"), "block": "one"}, "line 2: /block: must be a whole number"),
        ({**delta("a"), "v": 2}, "line 2: /v: must be 1"),
        ({**delta("a"), "ts": "now"}, "line 2: /ts: must be an RFC 3339 time in UTC with milliseconds"),
        ({**tool_result(), "status": "fine"}, 'line 2: /status: must be "ok" or "error" or "denied"'),
        ({**delta("a"), "seq": 7}, "line 2: /seq: must be 2, not 7"),
        ({**delta("a"), "run": "r2"}, "line 2: /run: differs from that of the first line"),
        (START, "line 2: /type: start stands on the first line, or begins a later attempt than 1"),
        ({"type": 5}, "line 2: /type: must be a string"),
    ],
)
def test_each_event_is_held_against_the_schema_and_its_neighbours(body: dict[str, Any], expected: str) -> None:
    assert expected in faults(stream(START, body, done("a")))


def test_one_gap_is_one_fault() -> None:
    renumbered = [{**body, "seq": seq} for body, seq in [(START, 1), (delta("a"), 3), (delta("b"), 4), (done("ab"), 5)]]
    assert faults(stream(*renumbered)) == ["line 2: /seq: must be 2, not 3"]


def test_a_stream_without_its_end_is_told_apart() -> None:
    assert faults(stream(START, delta("a"))) == [
        "line 2: the stream ends without a terminal event (done, error, aborted): a reader reports worker_lost"
    ]
    assert faults(b"") == ["line 1: there is no event"]


def test_nothing_may_follow_the_terminal_event() -> None:
    assert faults(stream(START, done(), error())) == ["line 3: follows done, which is terminal"]


def test_what_a_tool_prints_stands_between_its_call_and_its_result() -> None:
    printed = {"type": "tool_output", "tool_use_id": "toolu_1", "stream": "stdout", "text": "Fri"}
    assert faults(stream(START, tool_call(), printed, printed, tool_result(), done())) == []
    assert faults(stream(START, printed, tool_call(), tool_result(), printed, done())) == [
        "line 2: /tool_use_id: names no tool_call before it",
        "line 5: /tool_use_id: has its tool_result already",
    ]


def test_a_run_begins_with_start() -> None:
    assert faults(stream(delta("a"), done("a"))) == [
        "line 1: /type: the first event must be start, or an error or aborted alone"
    ]


def test_lines_are_short_ascii_and_end_with_a_newline() -> None:
    long = stream(START, {"type": "notice", "level": "info", "code": "c", "message": "x" * 262_144}, done())
    assert any("262144 are allowed" in fault for fault in faults(long))
    raw = stream(START, delta("\u00e4"), done("\u00e4")).replace(b"\\u00e4", "\u00e4".encode())
    places = [line.index("\u00e4".encode()) + 1 for line in raw.splitlines()[1:]]
    words = "is not ASCII: characters beyond it must be escaped"
    assert faults(raw) == [f"line {number}: byte {place} {words}" for number, place in enumerate(places, 2)]
    assert faults(stream(START, done())[:-1]) == ["line 2: the last line has no newline at its end"]
    assert faults(stream(START, done()).replace(b"\n", b"\n\n", 1))[0] == "line 2: the line is empty"


def test_a_lone_surrogate_is_a_fault_and_a_pair_is_none() -> None:
    pair = stream(START, delta("\U0001f600"), done("\U0001f600"))
    assert faults(pair) == []
    assert faults(pair.replace(b"\\ud83d", b"")) == [
        f"line {n}: holds a lone surrogate, which not every reader takes" for n in (2, 3)
    ]


def test_what_is_no_json_is_told_with_its_line() -> None:
    assert faults(stream(START) + b"Traceback\n")[0].startswith("line 2: not valid JSON at column 1")
    assert faults(stream(START) + b"[]\n")[0] == "line 2: an event is a JSON object"
    assert (
        faults(stream(START) + b'{"a":1,"a":2}\n')[0]
        == "line 2: /a: appears more than once in its object; keep one of them"
    )


@pytest.mark.parametrize(
    "bodies",
    [
        (delta("a"), delta("b", 2), done("ab")),
        (delta("a"), discard(1), delta("b", 2), done("b")),
        (delta("before"), tool_call(), tool_result(), delta("after", 2), done("after")),
        (delta("a"), tool_call(parent="toolu_0"), delta("b", 2), done("ab")),
        (delta("abcdef"), done("abc", truncated_bytes=3)),
    ],
    ids=["joined", "discarded", "after the last tool call", "a subagent's call", "cut"],
)
def test_the_final_text_is_what_the_deltas_come_to(bodies: tuple[dict[str, Any], ...]) -> None:
    assert faults(stream(START, *bodies)) == []
    wrong = {**bodies[-1], "text": "x" + bodies[-1]["text"]}
    [fault] = faults(stream(START, *bodies[:-1], wrong))
    assert "/text: " in fault


# Control messages


def test_control_lines_are_read_after_the_request(scripts: Scripts) -> None:
    given = '{"prompt": "Hello"}\n{"type": "abort", "id": "1"}\n{"type": "permision", "id": "2"}\n'
    checked = scripts("agent-workers", "validate", "--kind=control", given=given)
    assert checked.stdout == (
        "line 3: /type: must be one of: abort, permission, app_tool_result, app_tool_output, answer, steer\n"
    )


def test_a_field_of_a_control_message_is_told_with_its_place() -> None:
    data = (
        b'{"type": "permission", "id": "1", "permission_id": "p", "behaviour": "allow"}\n{"type": "abort", "id": "2"}\n'
    )
    assert faults(data, "control") == [
        "line 1: /behavior: is required",
        "line 1: /behaviour: is not a known field; did you mean behavior?",
    ]
    assert faults(b"oops\n[]\n", "control")[1] == "line 2: a control message must be a JSON object"


def test_the_request_before_control_messages_may_be_a_task() -> None:
    abort = b'\n{"type": "abort", "id": "1"}\n'
    assert faults(b'{"prompt": "Hello", "cwd": "/", "tools": ["Bash"]}' + abort, "control") == []
    assert faults(b'{"prompt": "Hello", "tools": ["Bash"]}' + abort, "control") == [
        f"line 1: /tools/0: {NO_TOOL_OF_A_CHAT}"
    ]


# A later attempt


def attempts(
    *numbers: int | None, before: list[dict[str, Any]] | None = None, after: dict[str, Any] | None = None
) -> bytes:
    """A run whose attempts but the last one were lost in the midst of an answer."""
    *lost, last = ({**START, **({"attempt": number} if number else {})} for number in numbers)
    parts = [stream(start, delta("lost"), *(before or [])) for start in lost]
    return b"".join([*parts, stream(last, delta("kept"), after or done("kept"))])


def test_a_later_attempt_begins_anew_in_the_midst_of_the_stream() -> None:
    question = {
        "type": "permission_request",
        "permission_id": "p",
        "tool_use_id": "toolu_1",
        "name": "Bash",
        "input": {},
    }
    open_call = [tool_call(), {**question, "expires_at": "2026-11-20T12:00:00.000Z"}]
    assert faults(attempts(None, 2)) == []
    assert faults(attempts(2, 3, 9, before=open_call)) == []
    assert faults(attempts(None, 3)[: -len(stream(done("kept")))])[-1].startswith("line 4: the stream ends without")


@pytest.mark.parametrize("numbers", [(None, None), (2, 2), (3, 2), (None, 1)])
def test_an_attempt_that_is_no_later_one_is_out_of_place(numbers: tuple[int | None, int | None]) -> None:
    found = check(attempts(*numbers), "events")[1]
    assert {fault.rule for fault in found} >= {"start-first", "seq"}


def test_an_attempt_that_never_began_is_its_end_alone() -> None:
    lost = stream(START, delta("lost"), tool_call())
    assert faults(lost + stream(error("worker_lost", retryable=True))) == []
    assert faults(lost + stream(ABORTED)) == []
    assert faults(lost + stream(done())) == ["line 4: /seq: must be 4, not 1"]


def test_nothing_follows_the_end_not_even_another_attempt() -> None:
    data = stream(START, done()) + stream({**START, "attempt": 2}, done())
    assert {fault.rule for fault in check(data, "events")[1]} == {"start-first", "terminal-last", "seq"}


def test_what_a_lost_attempt_has_said_is_no_part_of_the_answer() -> None:
    [fault] = check(attempts(None, 2, after=done("lostkept")), "events")[1]
    assert (fault.line, fault.rule) == (5, "done-text")


# What it is


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'{"prompt": "Hello"}', "request"),
        (b'{\n  "prompt": [\n    {"type": "text", "text": "x"}\n  ]\n}', "request"),
        (b"oops", "request"),
        (b"", "request"),
        (stream(START), "events"),
        (stream(START, done()), "events"),
        (b"oops\n" + stream(done()), "events"),
        (b'{"type": "abort", "id": "1"}', "control"),
        (b'{"prompt": "Hello"}\n{"type": "abort", "id": "1"}\n', "control"),
        (b'{"prompt": "Hello", "cwd": "/"}', "task-request"),
        (b'{\n  "cwd": "/srv"\n}', "task-request"),
        (b'{"prompt": "Hello", "cwd": "/"}\n{"type": "abort", "id": "1"}\n', "control"),
    ],
)
def test_what_is_to_be_checked_is_recognised(data: bytes, kind: str) -> None:
    assert check(data, "auto")[0] == kind


def test_a_fault_cannot_write_to_the_terminal(scripts: Scripts) -> None:
    checked = scripts("agent-workers", "validate", given='{"prompt": "x", "\\u001b[2J": 1}')
    assert "\x1b" not in checked.stdout
    assert "\u241b[2J" in checked.stdout


EXPIRES = "2026-01-01T00:02:00.000Z"


def question(name: str, use_id: str = "toolu_1") -> dict[str, Any]:
    asked = {"question": "Which?", "options": [{"label": "A"}, {"label": "B"}], "multi": False}
    return {
        "type": "question",
        "question_id": name,
        "tool_use_id": use_id,
        "questions": [asked],
        "expires_at": EXPIRES,
    }


def answered(name: str) -> dict[str, Any]:
    return {"type": "question_resolved", "question_id": name, "by": "client"}


def permitted(name: str) -> dict[str, Any]:
    return {"type": "permission_resolved", "permission_id": name, "behavior": "allow", "by": "client"}


@pytest.mark.parametrize(
    ("bodies", "told"),
    [
        ((question("q"), answered("q")), []),
        ((tool_call(), answered("toolu_1"), tool_result()), []),  # an earlier run's, answered by its decision
        ((tool_call(), permitted("toolu_1"), tool_result()), []),
        ((answered("q"),), ["line 2: /question_id: names no question before it"]),
        ((permitted("q"),), ["line 2: /permission_id: names no permission_request before it"]),
        (
            (question("q"), permitted("q"), answered("q")),
            ["line 3: /permission_id: names no permission_request before it"],
        ),
        ((question("q"), answered("q"), answered("q")), ["line 4: /question_id: was settled before"]),
        (
            (question("q"), answered("q"), question("q")),
            [
                "line 4: /question_id: is the id of an earlier question",
                "line 5: the question 'q' was not settled before it",
            ],
        ),
        ((question("q"),), ["line 3: the question 'q' was not settled before it"]),
    ],
)
def test_each_question_of_a_run_is_settled_once_and_before_its_end(bodies: tuple[Any, ...], told: list[str]) -> None:
    assert faults(stream(START, *bodies, error())) == told
