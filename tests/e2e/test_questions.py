"""Questions to the user: asked in every mode, answered once, and never the end of a run."""

from dataclasses import dataclass
from typing import Any

import pytest

from agent_workers.simulator.scenario import ToolUse
from agent_workers.validation import check
from tests.e2e.beginning import Begin
from tests.e2e.desk import Desk, bash, call, permit
from tests.e2e.stream import Event
from tests.e2e.worker import Ended, Running
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("loaded")

ASKS: dict[str, Any] = {"tools": ["AskUserQuestion"], "limits": {"question_timeout_s": PATIENCE_S}}
NOBODY = "Nobody answered. Go on without an answer"


def one(question: str = "Which city?", *labels: str, multi: bool = False, header: str = "City") -> dict[str, Any]:
    """A question as the model writes it."""
    options = [{"label": label, "description": f"It is {label}."} for label in labels or ("Graz", "Linz")]
    return {"question": question, "header": header, "options": options, "multiSelect": multi}


def ask(*questions: dict[str, Any]) -> ToolUse:
    return call("AskUserQuestion", questions=list(questions or [one()]))


def answer(event: Event, answers: dict[str, Any], **more: Any) -> Event:
    """The answer to a `question`."""
    named = {"id": f"answer-{event['question_id']}", "question_id": event["question_id"]}
    return {"type": "answer", **named, "answers": answers, **more}


GIVEN = {"Which city?": "Linz", "Which days?": ["Monday", 'none of "these"'], "Who?": "My colleague, Eve"}
ODD = "Wel\udc00che \x1b[31m\u202eStadt\u0000? 'a' \"b\" 🎉"
IMPOSSIBLE = [
    ask({**one(), "options": []}),
    ask(one("Same?"), one("Same?")),
    ask(*[one(f"Number {number}?") for number in range(50)]),
    ask(one("Long?", "x" * 50_000, "b")),
    ask(one("q" * 5000)),
    ask(one("Blank?", " ", "b")),
    call("AskUserQuestion"),
]


@dataclass(frozen=True)
class Conversation:
    """A chat that asks three questions in one, an odd one, what cannot be asked, and two at once.

    Attributes:
        told: What the model was told of each call, in their order.
    """

    ended: Ended
    told: list[str]

    def of_calls(self, kind: str, first: int, end: int) -> list[Event]:
        """The events of a type that are about these calls, in the order of the calls."""
        calls = [event["tool_use_id"] for event in self.ended.of("tool_call")][first:end]
        return sorted(
            (event for event in self.ended.of(kind) if event["tool_use_id"] in calls),
            key=lambda event: calls.index(event["tool_use_id"]),
        )


THREE_IN_ONE, THE_ODD, THE_IMPOSSIBLE, BOTH = (0, 1), (1, 2), (2, 9), (9, 11)
"""Which calls these are."""


@pytest.fixture
def conversation(begin: Begin) -> Conversation:
    return begin("a conversation", converse)


def converse(desk: Desk) -> Conversation:
    three = ask(one(), one("Which days?", "Monday", "Tuesday", "Friday", multi=True), one("Who?", "Ada", "Bob"))
    both = [ask(), ask(one("Which day?", "Monday", "Friday"))]
    desk.script(three, ask(one(ODD, "\x07Graz", "Linz")), IMPOSSIBLE, both)
    waiting: dict[str, Event] = {}
    running = desk.home.start("--control", worker="agent-chat")
    running.send({"prompt": "Ask.", **ASKS})
    for event in running.told():
        if event["type"] != "question":
            continue
        first = event["questions"][0]
        if len(event["questions"]) == 3:
            running.send(answer(event, GIVEN, actor="user-7"))
        elif first["question"] not in ("Which city?", "Which day?"):
            running.send(answer(event, {first["question"]: first["options"][0]["label"]}))
        else:
            waiting[first["question"]] = event
            if len(waiting) == 2:
                _answer_out_of_order(running, waiting["Which city?"], waiting["Which day?"])
    return Conversation(running.end(), desk.told_to_the_model())


def _answer_out_of_order(running: Running, city: Event, day: Event) -> None:
    running.send({"type": "permission", "id": "p", "permission_id": city["question_id"], "behavior": "allow"})
    running.send(answer(day, {"Which day?": ["Monday", "Friday"]}) | {"id": "list"})
    running.send(answer(day, {"Which day?": "Friday"}) | {"id": "first"})
    running.send(answer(day, {"Which day?": "Monday"}) | {"id": "second"})
    running.send(answer(city, {"Which city?": "Wien"}) | {"id": "third"})
    running.send(answer(city, {}) | {"id": "empty"})


def test_a_chat_asks_the_user_and_reads_each_kind_of_answer(conversation: Conversation) -> None:
    ended = conversation.ended
    assert ended.ending == ("done", 0)
    assert ended.last["text"] == "All done."
    [question] = conversation.of_calls("question", *THREE_IN_ONE)
    assert question["expires_at"] > question["ts"]
    assert [item["multi"] for item in question["questions"]] == [False, True, False]
    assert question["questions"][0] == {
        "question": "Which city?",
        "header": "City",
        "options": [{"label": "Graz", "description": "It is Graz."}, {"label": "Linz", "description": "It is Linz."}],
        "multi": False,
    }
    named = question["question_id"]
    [resolved] = [event for event in ended.of("question_resolved") if event["question_id"] == named]
    assert (resolved["by"], resolved["actor"]) == ("client", "user-7")
    for text in ('"Which city?"="Linz"', '"Which days?"="Monday, none of "these""', '"Who?"="My colleague, Eve"'):
        assert text in conversation.told[0]
    [result] = conversation.of_calls("tool_result", *THREE_IN_ONE)
    assert result["status"] == "ok"
    [ack] = [event for event in ended.of("ack") if event["id"] == f"answer-{named}"]
    assert ack["ok"] is True
    assert question["seq"] < ack["seq"] < resolved["seq"] < result["seq"]


@pytest.mark.parametrize("mode", ["deny", "ask", "accept_edits", "plan"])
def test_a_task_asks_the_user_in_each_mode_and_what_else_it_may_stays_as_it_is(desk: Desk, mode: str) -> None:
    desk.file("inside", "seen")
    desk.script([ask(), call("Read", file_path=str(desk.cwd / "inside")), bash("touch made"), bash("touch granted")])

    def reply(event: Event) -> Event | None:
        if event["type"] == "permission_request":
            granted = event["input"]["command"] == "touch granted"
            return permit(event, "allow" if granted else "deny", actor="ada")
        return answer(event, {"Which city?": "Graz"}, actor="bob") if event["type"] == "question" else None

    tools = ["AskUserQuestion", "Read", "Bash"]
    ended = desk.converse(reply, tools=tools, permissions={"mode": mode, "allow": ["AskUserQuestion"]})
    assert ended.ending == ("done", 0)
    assert [(event["by"], event["actor"]) for event in ended.of("question_resolved")] == [("client", "bob")]
    found = {event["tool_use_id"]: event["status"] for event in ended.of("tool_result")}
    made, granted = mode == "accept_edits", mode in ("accept_edits", "ask")
    statuses = ["ok", "ok", "ok" if made else "denied", "ok" if granted else "denied"]
    assert [found[event["tool_use_id"]] for event in ended.of("tool_call")] == statuses
    assert ((desk.cwd / "made").exists(), (desk.cwd / "granted").exists()) == (made, granted)
    asked = 2 if mode == "ask" else 0
    assert len(ended.of("permission_request")) == asked
    assert [event["actor"] for event in ended.of("permission_resolved")] == ["ada"] * asked


def test_an_agent_that_nobody_answers_is_told_so_and_goes_on(desk: Desk) -> None:
    desk.script([ask(), ask(one("Which day?"))])
    first: list[str] = []

    def reply(event: Event) -> Event | None:
        if event["type"] == "question" and not first:
            first.append(event["question_id"])
            return answer(event, {"Which town?": "Graz"})  # what is no answer leaves the question open
        return None

    ended = desk.converse(reply, tools=["AskUserQuestion"], limits={"question_timeout_s": 1.5})
    assert ended.ending == ("done", 0)
    assert {event["by"] for event in ended.of("question_resolved")} == {"timeout"}
    assert {event["question_id"] for event in ended.of("question")} == {
        event["question_id"] for event in ended.of("question_resolved")
    }
    assert [(event["ok"], event["code"]) for event in ended.of("ack")] == [(False, "invalid_message")]
    assert len(desk.told_to_the_model()) == 2
    assert all(text.startswith(NOBODY) for text in desk.told_to_the_model())
    assert {event["status"] for event in ended.of("tool_result")} == {"error"}
    assert "denials" not in ended.last


def test_two_questions_at_once_are_answered_out_of_order_and_only_once(conversation: Conversation) -> None:
    ids = ("p", "list", "first", "second", "third", "empty")
    acks = {event["id"]: event.get("code") for event in conversation.ended.of("ack") if event["id"] in ids}
    assert acks == {
        "p": "not_pending",
        "list": "invalid_message",
        "first": None,
        "second": "not_pending",
        "third": None,
        "empty": "invalid_message",
    }
    assert len(conversation.of_calls("question", *BOTH)) == 2
    told = str(conversation.told[slice(*BOTH)])
    assert '"Which day?"="Friday"' in told
    assert '"Which city?"="Wien"' in told


def test_what_cannot_be_asked_is_an_error_of_the_tool(conversation: Conversation) -> None:
    assert conversation.ended.ending == ("done", 0)
    assert conversation.of_calls("question", *THE_IMPOSSIBLE) == []
    results = conversation.of_calls("tool_result", *THE_IMPOSSIBLE)
    assert [event["status"] for event in results] == ["error"] * len(IMPOSSIBLE)
    assert any("at most 1000 characters" in text for text in conversation.told[slice(*THE_IMPOSSIBLE)])


def test_odd_characters_come_back_as_they_were_asked(conversation: Conversation) -> None:
    [question] = conversation.of_calls("question", *THE_ODD)
    named = f"answer-{question['question_id']}"
    assert [event["ok"] for event in conversation.ended.of("ack") if event["id"] == named] == [True]
    assert "\x07Graz" in conversation.told[1]


def test_a_deny_rule_takes_the_question_from_the_agent(desk: Desk) -> None:
    desk.script(ask())
    ended = desk.converse(lambda event: None, **ASKS, permissions={"mode": "ask", "deny": ["AskUserQuestion"]})
    assert ended.ending == ("done", 0)
    assert ended.of("question") == ended.of("permission_request") == []
    assert [event["status"] for event in ended.of("tool_result")] != ["ok"]


@pytest.mark.parametrize("worker", ["agent-chat", "agent-task"])
def test_a_request_that_asks_where_nobody_can_answer_is_refused(desk: Desk, worker: str) -> None:
    request = desk.request(**ASKS)
    if worker == "agent-chat":
        del request["cwd"]
    ended = desk.home.run(request, worker=worker)
    assert ended.ending == ("invalid_request", 2)
    assert [problem["pointer"] for problem in ended.last["details"]] == ["/tools"]


def deferred(desk: Desk, first: Ended, decision: dict[str, Any], *options: str) -> Ended:
    """Runs the run that brings the answers of a question."""
    desk.script(end="So be it.")
    named = {"tool_use_id": first.last["pending"]["tool_use_id"], **decision}
    return desk.run(
        *options,
        tools=["AskUserQuestion"],
        session={"resume": first.last["session_id"]},
        permissions={"mode": "defer", "decision": named},
    )


def asked(desk: Desk) -> Ended:
    """A run in mode defer, which nobody can answer while it runs."""
    desk.script(ask(), ask(one("Which day?")))
    return desk.run(tools=["AskUserQuestion"], permissions={"mode": "defer", "allow": ["AskUserQuestion"]})


@pytest.mark.parametrize(
    ("decision", "told", "notices"),
    [
        ({"behavior": "allow", "answers": {"Which city?": "Graz"}, "actor": "ada"}, '"Which city?"="Graz"', []),
        ({"behavior": "allow", "answers": {"Which town?": "Graz"}}, NOBODY, ["answers_unused"]),
        ({"behavior": "allow"}, NOBODY, ["answers_unused"]),
        ({"behavior": "deny"}, NOBODY, []),
        ({"behavior": "deny", "message": "Ask me tomorrow."}, "Ask me tomorrow.", []),
    ],
)
def test_a_deferred_question_is_answered_by_the_next_run(
    desk: Desk, begin: Begin, decision: dict[str, Any], told: str, notices: list[str]
) -> None:
    first = begin("a question waits", asked)
    assert first.ending == ("done", 0)
    assert first.last["stop_reason"] == "permission_required"
    pending = first.last["pending"]
    assert (pending["name"], pending["input"]) == ("AskUserQuestion", {"questions": [one()]})
    assert first.of("question") == []
    ended = deferred(desk, first, decision)
    assert ended.ending == ("done", 0)
    assert [event["code"] for event in ended.of("notice")] == notices
    assert told in desk.told_to_the_model()[-1]
    [resolved] = ended.of("question_resolved")
    assert (resolved["question_id"], resolved["by"]) == (pending["tool_use_id"], "client")
    assert resolved.get("actor") == decision.get("actor")
    assert ended.of("permission_resolved") == []
    assert check(ended.output, "events")[1] == []
    assert ended.last["text"] == "So be it.\n\nSo be it."  # of the question, and of the prompt
