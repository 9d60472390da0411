"""Calls that wait for the application's word: each gets its own answer, and no answer is never a yes."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from agent_workers.validation import check
from tests.e2e.beginning import Begin
from tests.e2e.desk import IDLE, Desk, bash, call, longer_than_idle, permit, results
from tests.e2e.stream import Event
from tests.e2e.worker import Ended, encoded
from tests.waiting import PATIENCE_S, clock_s

pytestmark = pytest.mark.usefixtures("loaded")
ASK = {"mode": "ask", "timeout_s": PATIENCE_S}
BRIEFLY = {"mode": "ask", "timeout_s": 0.3}
Answer = Callable[[Event], Event | None]


def on_question(answer: Answer) -> Answer:
    return lambda event: answer(event) if event["type"] == "permission_request" else None


ANSWERS: dict[str, dict[str, Any]] = {
    "touch yes": {},
    "touch no": {"behavior": "deny"},
    "touch meant": {"updated_input": {"command": "touch better", "description": "d"}},
    "touch made": {"behavior": "deny", "message": "Ask Ada first."},
}
CHANGED = [{"command": "touch made; rm -rf keep"}, {"command": ["touch", "made"]}, {"description": "d"}]
"""What a call's input may not be changed to."""
IN_VAIN = {f"touch meant-{number}": {"updated_input": changed} for number, changed in enumerate(CHANGED)}


def answered(desk: Desk) -> tuple[Ended, list[str]]:
    """A run whose calls are allowed, denied, changed and denied in words; and what the model was told.

    One more is denied and then allowed, then a file is read, and at last a subagent's call is denied.
    """
    desk.file("keep")
    agent = call("Agent", description="Touch", prompt="[[scenario:task-touch]] Go.", subagent_type="general-purpose")
    commands = [bash(command) for command in (*ANSWERS, *IN_VAIN, "touch twice")]
    desk.script(commands, call("Read", file_path="/etc/hostname"), agent)
    running = desk.start("--control")
    running.send(desk.request(tools=["Bash", "Read", "Agent"], permissions={**ASK, "deny": ["Bash(rm:*)"]}))
    for event in running.told():
        if event["type"] != "permission_request":
            continue
        command = event["input"].get("command")
        if command == "touch twice":
            running.write(encoded(permit(event, "deny")) + b"\n" + encoded(permit(event)) + b"\n")
        elif event["name"] == "Read":
            running.send(permit(event))
        else:
            running.send(permit(event, **(ANSWERS | IN_VAIN).get(command, {"behavior": "deny"})))
    return running.end(), desk.told_to_the_model()


def question_of(ended: Ended, command: str) -> Event:
    """The question about this command."""
    [asked] = [event for event in ended.of("permission_request") if event["input"].get("command") == command]
    return asked


def acks_of(ended: Ended, question: Event) -> list[bool]:
    return [ack["ok"] for ack in ended.of("ack") if ack["id"] == f"answer-{question['permission_id']}"]


def resolved(ended: Ended, command: str) -> list[tuple[str, str]]:
    """How the question about this command was resolved, and by whom."""
    asked = question_of(ended, command)
    of_it = [event for event in ended.of("permission_resolved") if event["permission_id"] == asked["permission_id"]]
    return [(event["behavior"], event["by"]) for event in of_it]


def test_an_allowed_call_runs_and_a_denied_one_does_not(begin: Begin, desk: Desk) -> None:
    ended, _ = begin("answers", answered)
    assert ended.ending == ("done", 0)
    assert sorted(path.name for path in desk.cwd.iterdir()) == ["better", "keep", "yes"]
    allowed = {"touch yes": True, "touch no": False, "touch meant": True, "touch made": False}
    found = results(ended)
    assert {command: found[command]["status"] for command in ANSWERS} == {
        command: "ok" if runs else "denied" for command, runs in allowed.items()
    }
    for command, runs in allowed.items():
        assert resolved(ended, command) == [("allow" if runs else "deny", "client")]
        assert acks_of(ended, question_of(ended, command)) == [True]


def test_a_question_says_what_it_is_about_and_until_when(begin: Begin) -> None:
    ended, _ = begin("answers", answered)
    [question] = [event for event in ended.of("permission_request") if event["name"] == "Read"]
    [called] = [event for event in ended.of("tool_call") if event["name"] == "Read"]
    assert question["tool_use_id"] == called["tool_use_id"]
    assert question["input"] == {"file_path": "/etc/hostname"}
    assert "outside" in question["reason"]
    assert question["expires_at"] > question["ts"]
    own = {question["permission_id"], question["tool_use_id"], f"answer-{question['permission_id']}"}
    names = ("permission_id", "tool_use_id", "id")
    order = [event["type"] for event in ended.events if own & {event.get(name) for name in names}]
    asked, answer = order.index("permission_request"), order.index("permission_resolved")
    assert order.index("tool_call") < asked < order.index("ack") < answer < order.index("tool_result")


def test_fifty_questions_at_once_each_get_their_own_answer(desk: Desk) -> None:
    count = 50
    for number in range(count):
        (desk.home.root / f"outside-{number}").write_text(f"content-{number}")
    paths = [str(desk.home.root / f"outside-{number}") for number in range(count)]
    desk.script([call("Read", file_path=path) for path in paths])
    running = desk.start("--control")
    running.send(desk.request(tools=["Read"], permissions=ASK))
    running.wait_for("permission_request", count=count)
    questions = [json.loads(line) for line in running.output.splitlines() if b'"permission_request"' in line]
    assert len({question["permission_id"] for question in questions}) == count
    random.shuffle(questions)
    allowed = {question["input"]["file_path"] for question in random.sample(questions, count // 2)}
    for question in questions:
        running.send(permit(question, "allow" if question["input"]["file_path"] in allowed else "deny"))
    ended = running.end()
    assert ended.ending == ("done", 0)
    found = results(ended)
    assert {path for path, event in found.items() if event["status"] == "ok"} == allowed
    for path in allowed:
        assert f"content-{path.rpartition('-')[2]}" in found[path]["content"].split()[-1]
    assert {event["status"] for path, event in found.items() if path not in allowed} == {"denied"}


def test_the_input_can_be_changed_with_the_answer(begin: Begin, desk: Desk) -> None:
    begin("answers", answered)
    names = [path.name for path in desk.cwd.iterdir()]
    assert ("better" in names, "meant" in names) == (True, False)


def test_the_words_of_a_denial_reach_the_model(begin: Begin) -> None:
    _, told = begin("answers", answered)
    assert told[list(ANSWERS).index("touch made")] == "Ask Ada first."


def _another_id(event: Event) -> Event:
    return permit({"permission_id": "0" * 32, "id": "x"})


def _the_calls_id(event: Event) -> Event:
    return permit({"permission_id": event["tool_use_id"]})


def _as_a_tools_result(event: Event) -> Event:
    return {"type": "app_tool_result", "id": "x", "call_id": event["permission_id"], "content": "allow"}


def _no_behavior(event: Event) -> Event:
    return {"type": "permission", "id": "x", "permission_id": event["permission_id"]}


def _another_behavior(event: Event) -> Event:
    return permit(event, "yes")


def _true(event: Event) -> Event:
    return permit(event, True)


def _an_unknown_field(event: Event) -> Event:
    return permit(event, always=True)


def _an_empty_input(event: Event) -> Event:
    return permit(event, updated_input={})


WRONG = (_another_id, _the_calls_id, _as_a_tools_result, _no_behavior, _another_behavior, _true, _an_unknown_field)
NO_ANSWER = {f"touch {answer.__name__}": answer for answer in (*WRONG, _an_empty_input)}


def wrongly_answered(desk: Desk) -> Ended:
    """A run whose questions each get something that is no answer to them, or a late one, or nothing."""
    questions = [bash(command) for command in (*NO_ANSWER, "touch unanswered", "touch late")]
    desk.script(questions, bash("touch afterwards"))  # while this one waits, the late answer is read
    asked: dict[str, Event] = {}

    def reply(event: Event) -> Event | None:
        if event["type"] == "permission_request":
            command = event["input"]["command"]
            asked[event["permission_id"]] = event
            if answer := NO_ANSWER.get(command):
                return {**answer(event), "id": answer.__name__}
        if event["type"] == "permission_resolved":
            late = asked[event["permission_id"]]
            return {**permit(late), "id": "late"} if late["input"]["command"] == "touch late" else None
        return None

    return desk.converse(reply, tools=["Bash"], permissions=BRIEFLY)


@pytest.fixture
def unanswered(begin: Begin) -> Ended:
    return begin("no answers", wrongly_answered)


@pytest.mark.parametrize("answer", WRONG)
def test_what_is_no_answer_to_the_question_allows_nothing(unanswered: Ended, desk: Desk, answer: Answer) -> None:
    assert list(desk.cwd.iterdir()) == []
    assert [event["ok"] for event in unanswered.of("ack") if event["id"] == answer.__name__] == [False]
    assert resolved(unanswered, f"touch {answer.__name__}") == [("deny", "timeout")]


def test_an_empty_input_is_no_answer(unanswered: Ended, desk: Desk) -> None:
    assert results(unanswered)["touch _an_empty_input"]["status"] == "denied"
    assert list(desk.cwd.iterdir()) == []


def test_no_answer_in_time_is_a_denial_and_the_run_goes_on(unanswered: Ended, desk: Desk) -> None:
    assert unanswered.ending == ("done", 0)
    assert resolved(unanswered, "touch unanswered") == [("deny", "timeout")]
    assert results(unanswered)["touch unanswered"]["status"] == "denied"
    assert list(desk.cwd.iterdir()) == []


def test_an_answer_after_the_deadline_changes_nothing(unanswered: Ended, desk: Desk) -> None:
    assert list(desk.cwd.iterdir()) == []
    acks = [ack for ack in unanswered.of("ack") if ack["id"] == "late"]
    assert [(ack["ok"], ack["code"]) for ack in acks] == [(False, "not_pending")]


def test_the_first_answer_holds(begin: Begin, desk: Desk) -> None:
    ended, _ = begin("answers", answered)
    assert acks_of(ended, question_of(ended, "touch twice")) == [True, False]
    assert not (desk.cwd / "twice").exists()


@pytest.mark.parametrize("way", ["abort", "end of stdin", "deadline"])
def test_a_question_that_is_open_at_the_end_is_resolved_before_the_terminal_line(desk: Desk, way: str) -> None:
    options = [{"label": label, "description": label} for label in ("Graz", "Linz")]
    question = {"question": "Which city?", "header": "City", "options": options, "multiSelect": False}
    asking = call("AskUserQuestion", questions=[question])
    reads = [call("Read", file_path=path) for path in ("/etc/hostname", "/etc/hosts")]
    desk.script([asking, *reads, bash("touch one")])
    running = desk.start("--control")
    limits = {"question_timeout_s": PATIENCE_S, **({"timeout_s": clock_s(12)} if way == "deadline" else {})}
    running.send(desk.request(tools=["AskUserQuestion", "Bash", "Read"], permissions=ASK, limits=limits))
    running.wait_for("question")
    running.wait_for("permission_request")
    if way == "abort":
        running.send({"type": "abort", "id": "stop"})
    elif way == "end of stdin":
        running.end_input()
    ended = running.end()
    assert ended.ending == (("timeout", 1) if way == "deadline" else ("aborted", 3))
    asked = [event["permission_id"] for event in ended.of("permission_request")]
    assert [event["permission_id"] for event in ended.of("permission_resolved")] == asked
    assert {(event["behavior"], event["by"]) for event in ended.of("permission_resolved")} == {("deny", "abort")}
    [to_the_user] = ended.of("question")
    [closed] = ended.of("question_resolved")
    assert (closed["question_id"], closed["by"]) == (to_the_user["question_id"], "abort")
    assert check(ended.output, "events")[1] == []
    assert list(desk.cwd.iterdir()) == []


def test_waiting_for_an_answer_is_not_idling(desk: Desk) -> None:
    desk.script(bash("touch made"))
    asked: list[Event] = []

    def late(event: Event) -> Event | None:
        if event["type"] == "permission_request":
            asked.append(event)
        return permit(asked.pop()) if asked and longer_than_idle(event) else None

    ended = desk.converse(late, tools=["Bash"], permissions=ASK, **IDLE)
    assert ended.ending == ("done", 0)
    assert ended.of("permission_resolved")[0]["by"] == "client"


def test_a_subagents_call_is_asked_about_too(begin: Begin, desk: Desk) -> None:
    ended, _ = begin("answers", answered)
    assert "Agent" not in {event["name"] for event in ended.of("permission_request")}
    [inner] = [event for event in ended.of("tool_call") if "parent_tool_use_id" in event]
    asked = [event for event in ended.of("permission_request") if event["tool_use_id"] == inner["tool_use_id"]]
    assert len(asked) == 1
    assert not (desk.cwd / "made-by-the-agent").exists()


def ruled(desk: Desk) -> Ended:
    """A run whose calls rules decide: one allows, two disagree on, and one denies."""
    desk.script([bash("mkdir made"), bash("touch made-too"), call("Write", file_path="made-at-last", content="x")])
    rules: dict[str, Any] = {"allow": ["Bash"], "deny": ["Bash(touch:*)", "Write"]}
    return desk.converse(on_question(permit), tools=["Bash", "Write"], permissions={**ASK, **rules})


def test_what_a_rule_decides_is_not_asked(begin: Begin, desk: Desk) -> None:
    ended = begin("rules", ruled)
    assert ended.of("permission_request") == []
    assert (desk.cwd / "made").exists()
    assert not (desk.cwd / "made-at-last").exists()


def test_a_deny_rule_beats_an_allow_rule(begin: Begin, desk: Desk) -> None:
    ended = begin("rules", ruled)
    assert results(ended)["touch made-too"]["status"] == "denied"
    assert not (desk.cwd / "made-too").exists()


@pytest.mark.parametrize("changed", CHANGED, ids=str)
def test_a_changed_input_is_held_to_the_rules_and_the_tools_schema(
    begin: Begin, desk: Desk, changed: dict[str, Any]
) -> None:
    ended, told = begin("answers", answered)
    number = CHANGED.index(changed)
    meant = f"touch meant-{number}"
    assert results(ended)[meant]["status"] == "denied"
    assert resolved(ended, meant) == [("deny", "policy")]
    assert "The changed input" in told[len(ANSWERS) + number]
    assert sorted(path.name for path in desk.cwd.iterdir()) == ["better", "keep", "yes"]
