"""Calls that wait for the application's word: each gets its own answer, and no answer is never a yes."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.beginning import Begin
from tests.e2e.desk import IDLE, Desk, bash, call, longer_than_idle, permit, results
from tests.e2e.stream import Event
from tests.e2e.worker import Ended
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("loaded")
ASK = {"mode": "ask", "timeout_s": PATIENCE_S}
BRIEFLY = {"mode": "ask", "timeout_s": 0.3}
Answer = Callable[[Event], Event | None]


def on_question(answer: Answer) -> Answer:
    return lambda event: answer(event) if event["type"] == "permission_request" else None


def answered(desk: Desk) -> tuple[Ended, list[str]]:
    """A run whose calls are allowed, denied, changed and denied in words; and what the model was told."""
    answers: dict[str, dict[str, Any]] = {
        "touch yes": {},
        "touch no": {"behavior": "deny"},
        "touch meant": {"updated_input": {"command": "touch better", "description": "d"}},
        "touch made": {"behavior": "deny", "message": "Ask Ada first."},
    }
    desk.script([bash(command) for command in answers])
    reply = on_question(lambda event: permit(event, **answers[event["input"]["command"]]))
    ended = desk.converse(reply, tools=["Bash"], permissions=ASK)
    return ended, desk.told_to_the_model()


def test_an_allowed_call_runs_and_a_denied_one_does_not(begin: Begin, desk: Desk) -> None:
    ended, _ = begin("answers", answered)
    assert ended.ending == ("done", 0)
    assert sorted(path.name for path in desk.cwd.iterdir()) == ["better", "yes"]
    assert {name: event["status"] for name, event in results(ended).items()} == {
        "touch yes": "ok",
        "touch no": "denied",
        "touch meant": "ok",
        "touch made": "denied",
    }
    assert {event["behavior"] for event in ended.of("permission_resolved")} == {"allow", "deny"}
    assert {event["by"] for event in ended.of("permission_resolved")} == {"client"}
    assert [event["ok"] for event in ended.of("ack")] == [True] * 4


def test_a_question_says_what_it_is_about_and_until_when(desk: Desk) -> None:
    desk.script(call("Read", file_path="/etc/hostname"))
    ended = desk.converse(on_question(permit), tools=["Read"], permissions=ASK)
    [question] = ended.of("permission_request")
    [called] = ended.of("tool_call")
    assert question["tool_use_id"] == called["tool_use_id"]
    assert (question["name"], question["input"]) == ("Read", {"file_path": "/etc/hostname"})
    assert "outside" in question["reason"]
    assert question["expires_at"] > question["ts"]
    order = [event["type"] for event in ended.events]
    asked, resolved = order.index("permission_request"), order.index("permission_resolved")
    assert order.index("tool_call") < asked < order.index("ack") < resolved < order.index("tool_result")


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
    allowed = {question["input"]["file_path"] for question in random.sample(questions, 25)}
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
    assert told[-1] == "Ask Ada first."


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


def resolved(ended: Ended, command: str) -> list[tuple[str, str]]:
    """How the question about this command was resolved, and by whom."""
    [asked] = [event for event in ended.of("permission_request") if event["input"]["command"] == command]
    of_it = [event for event in ended.of("permission_resolved") if event["permission_id"] == asked["permission_id"]]
    return [(event["behavior"], event["by"]) for event in of_it]


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


def test_the_first_answer_holds(desk: Desk) -> None:
    desk.script(bash("touch made"))
    running = desk.start("--control")
    running.send(desk.request(tools=["Bash"], permissions=ASK))
    for event in running.told():
        if event["type"] == "permission_request":
            running.write(
                json.dumps(permit(event, "deny")).encode() + b"\n" + json.dumps(permit(event)).encode() + b"\n"
            )
    ended = running.end()
    assert [event["ok"] for event in ended.of("ack")] == [True, False]
    assert list(desk.cwd.iterdir()) == []


@pytest.mark.parametrize("way", ["abort", "end of stdin"])
def test_a_question_that_is_open_at_the_end_is_resolved_before_the_terminal_line(desk: Desk, way: str) -> None:
    desk.script([bash("touch one"), call("Read", file_path="/etc/hostname"), call("Read", file_path="/etc/hosts")])
    running = desk.start("--control")
    running.send(desk.request(tools=["Bash", "Read"], permissions=ASK))
    running.wait_for("permission_request")
    if way == "abort":
        running.send({"type": "abort", "id": "stop"})
    else:
        running.end_input()
    ended = running.end()
    assert ended.ending == ("aborted", 3)
    asked = [event["permission_id"] for event in ended.of("permission_request")]
    assert [event["permission_id"] for event in ended.of("permission_resolved")] == asked
    assert {(event["behavior"], event["by"]) for event in ended.of("permission_resolved")} == {("deny", "abort")}
    assert list(desk.cwd.iterdir()) == []


def test_the_runs_deadline_also_ends_a_question(desk: Desk) -> None:
    desk.script(bash("touch made"))
    ended = desk.converse(lambda event: None, tools=["Bash"], permissions=ASK, limits={"timeout_s": 12})
    assert ended.ending == ("timeout", 1)
    assert [event["by"] for event in ended.of("permission_resolved")] == ["abort"]


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


def test_a_subagents_call_is_asked_about_too(desk: Desk) -> None:
    prompt = "[[scenario:task-touch]] Go."
    desk.script(call("Agent", description="Touch", prompt=prompt, subagent_type="general-purpose"))
    ended = desk.converse(on_question(lambda event: permit(event, "deny")), tools=["Agent", "Bash"], permissions=ASK)
    [question] = ended.of("permission_request")
    [inner] = [event for event in ended.of("tool_call") if "parent_tool_use_id" in event]
    assert question["tool_use_id"] == inner["tool_use_id"]
    assert list(desk.cwd.iterdir()) == []


@pytest.mark.parametrize("rule", ["deny", "allow"])
def test_what_a_rule_decides_is_not_asked(desk: Desk, rule: str) -> None:
    desk.script(bash("touch made"))
    ended = desk.converse(on_question(permit), tools=["Bash"], permissions={**ASK, rule: ["Bash"]})
    assert ended.of("permission_request") == []
    assert (desk.cwd / "made").exists() == (rule == "allow")


def test_a_deny_rule_beats_an_allow_rule(desk: Desk) -> None:
    desk.script(bash("touch made"))
    rules: dict[str, Any] = {"allow": ["Bash"], "deny": ["Bash(touch:*)"]}
    ended = desk.converse(on_question(permit), tools=["Bash"], permissions={**ASK, **rules})
    assert ended.of("tool_result")[0]["status"] == "denied"
    assert list(desk.cwd.iterdir()) == []


CHANGED = [{"command": "touch made; rm -rf keep"}, {"command": ["touch", "made"]}, {"description": "d"}]


def changed_in_vain(desk: Desk) -> tuple[Ended, list[str]]:
    """A run whose calls are allowed with inputs that may not be; and what the model was told of each."""
    desk.file("keep")
    desk.script([bash(f"touch meant-{number}") for number in range(len(CHANGED))])

    def reply(event: Event) -> Event:
        return permit(event, updated_input=CHANGED[int(event["input"]["command"].rpartition("-")[2])])

    ended = desk.converse(on_question(reply), tools=["Bash"], permissions={**ASK, "deny": ["Bash(rm:*)"]})
    return ended, desk.told_to_the_model()


@pytest.mark.parametrize("changed", CHANGED, ids=str)
def test_a_changed_input_is_held_to_the_rules_and_the_tools_schema(
    begin: Begin, desk: Desk, changed: dict[str, Any]
) -> None:
    ended, told = begin("changed inputs", changed_in_vain)
    number = CHANGED.index(changed)
    meant = f"touch meant-{number}"
    assert results(ended)[meant]["status"] == "denied"
    assert resolved(ended, meant) == [("deny", "policy")]
    assert "The changed input" in told[number]
    assert [path.name for path in desk.cwd.iterdir()] == ["keep"]
