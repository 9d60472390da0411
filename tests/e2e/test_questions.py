"""Questions to the user: asked in every mode, answered once, and never the end of a run."""

import json
from typing import Any

import pytest

from agent_workers.simulator.scenario import ToolUse
from agent_workers.validation import check
from tests.e2e.beginning import Begin
from tests.e2e.desk import Desk, bash, call, permit, results
from tests.e2e.stream import Event
from tests.e2e.worker import Ended
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


def test_a_chat_asks_the_user_and_reads_each_kind_of_answer(desk: Desk) -> None:
    desk.script(ask(one(), one("Which days?", "Monday", "Tuesday", "Friday", multi=True), one("Who?", "Ada", "Bob")))
    given = {"Which city?": "Linz", "Which days?": ["Monday", 'none of "these"'], "Who?": "My colleague, Eve"}
    ended = desk.converse(
        lambda event: answer(event, given, actor="user-7") if event["type"] == "question" else None,
        worker="agent-chat",
        **ASKS,
    )
    assert ended.ending == ("done", 0)
    assert ended.last["text"] == "All done."
    [question] = ended.of("question")
    [called] = ended.of("tool_call")
    assert question["tool_use_id"] == called["tool_use_id"]
    assert question["expires_at"] > question["ts"]
    assert [item["multi"] for item in question["questions"]] == [False, True, False]
    assert question["questions"][0] == {
        "question": "Which city?",
        "header": "City",
        "options": [{"label": "Graz", "description": "It is Graz."}, {"label": "Linz", "description": "It is Linz."}],
        "multi": False,
    }
    [resolved] = ended.of("question_resolved")
    assert (resolved["question_id"], resolved["by"], resolved["actor"]) == (question["question_id"], "client", "user-7")
    [told] = desk.told_to_the_model()
    for text in ('"Which city?"="Linz"', '"Which days?"="Monday, none of "these""', '"Who?"="My colleague, Eve"'):
        assert text in told
    assert [event["status"] for event in ended.of("tool_result")] == ["ok"]
    assert [event["ok"] for event in ended.of("ack")] == [True]
    order = ended.types
    assert order.index("question") < order.index("ack") < order.index("question_resolved") < order.index("tool_result")


@pytest.mark.parametrize("mode", ["deny", "ask", "accept_edits", "plan"])
def test_a_task_asks_the_user_in_each_mode_and_what_else_it_may_stays_as_it_is(desk: Desk, mode: str) -> None:
    desk.file("inside", "seen")
    desk.script([ask(), call("Read", file_path=str(desk.cwd / "inside")), bash("touch made")])
    ended = desk.converse(
        lambda event: answer(event, {"Which city?": "Graz"}) if event["type"] == "question" else None,
        tools=["AskUserQuestion", "Read", "Bash"],
        permissions={"mode": mode, "timeout_s": 0.3, "allow": ["AskUserQuestion"]},
    )
    assert ended.ending == ("done", 0)
    assert [event["by"] for event in ended.of("question_resolved")] == ["client"]
    statuses = {event["name"]: result["status"] for event, result in _pairs(ended)}
    made = mode == "accept_edits"
    assert statuses == {"AskUserQuestion": "ok", "Read": "ok", "Bash": "ok" if made else "denied"}
    assert (desk.cwd / "made").exists() == made
    assert len(ended.of("permission_request")) == (mode == "ask")


def _pairs(ended: Ended) -> list[tuple[Event, Event]]:
    found = {event["tool_use_id"]: event for event in ended.of("tool_result")}
    return [(event, found[event["tool_use_id"]]) for event in ended.of("tool_call")]


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


def test_two_questions_at_once_are_answered_out_of_order_and_only_once(desk: Desk) -> None:
    desk.script([ask(), ask(one("Which day?", "Monday", "Friday"))])
    running = desk.start("--control")
    running.send(desk.request(**ASKS))
    running.wait_for("question", count=2)
    city, day = (event for event in running_events(running) if event["type"] == "question")
    if city["questions"][0]["question"] != "Which city?":
        city, day = day, city
    running.send({"type": "permission", "id": "p", "permission_id": city["question_id"], "behavior": "allow"})
    running.send(answer(day, {"Which day?": ["Monday", "Friday"]}) | {"id": "list"})
    running.send(answer(day, {"Which day?": "Friday"}) | {"id": "first"})
    running.send(answer(day, {"Which day?": "Monday"}) | {"id": "second"})
    running.send(answer(city, {"Which city?": "Wien"}) | {"id": "third"})
    running.send(answer(city, {}) | {"id": "empty"})
    ended = running.end()
    acks = {event["id"]: event.get("code") for event in ended.of("ack")}
    assert acks == {
        "p": "not_pending",
        "list": "invalid_message",
        "first": None,
        "second": "not_pending",
        "third": None,
        "empty": "invalid_message",
    }
    told = str(desk.told_to_the_model())
    assert '"Which day?"="Friday"' in told
    assert '"Which city?"="Wien"' in told


def running_events(running: Any) -> list[Event]:
    return [json.loads(line) for line in running.output.splitlines()]


@pytest.mark.parametrize("stop", ["abort", "timeout"])
def test_a_run_that_ends_while_it_asks_closes_the_question_first(desk: Desk, stop: str) -> None:
    desk.script(ask())
    limits = {"question_timeout_s": PATIENCE_S, **({"timeout_s": 9} if stop == "timeout" else {})}
    ended = desk.converse(
        lambda event: {"type": "abort", "id": "1"} if event["type"] == "question" and stop == "abort" else None,
        tools=["AskUserQuestion"],
        limits=limits,
    )
    assert ended.last["type"] == ("aborted" if stop == "abort" else "error")
    assert [event["by"] for event in ended.of("question_resolved")] == ["abort"]
    assert check(ended.output, "events")[1] == []


def test_what_cannot_be_asked_is_an_error_of_the_tool(desk: Desk) -> None:
    twins = [one("Same?"), one("Same?")]
    desk.script(
        [
            ask({**one(), "options": []}),
            ask(*twins),
            ask(*[one(f"Number {number}?") for number in range(50)]),
            ask(one("Long?", "x" * 50_000, "b")),
            ask(one("q" * 5000)),
            ask(one("Blank?", " ", "b")),
            call("AskUserQuestion"),
        ]
    )
    ended = desk.converse(lambda event: None, **ASKS)
    assert ended.ending == ("done", 0)
    assert ended.of("question") == []
    assert [event["status"] for event in ended.of("tool_result")] == ["error"] * 7
    assert any("at most 1000 characters" in text for text in desk.told_to_the_model())


def test_a_deny_rule_takes_the_question_from_the_agent(desk: Desk) -> None:
    desk.script(ask())
    ended = desk.converse(lambda event: None, **ASKS, permissions={"mode": "ask", "deny": ["AskUserQuestion"]})
    assert ended.ending == ("done", 0)
    assert ended.of("question") == ended.of("permission_request") == []
    assert [event["status"] for event in ended.of("tool_result")] != ["ok"]


def test_odd_characters_come_back_as_they_were_asked(desk: Desk) -> None:
    odd = "Wel\udc00che \x1b[31m\u202eStadt\u0000? 'a' \"b\" 🎉"
    desk.script(ask(one(odd, "\x07Graz", "Linz")))

    def reply(event: Event) -> Event | None:
        if event["type"] != "question":
            return None
        item = event["questions"][0]
        return answer(event, {item["question"]: item["options"][0]["label"]})

    ended = desk.converse(reply, **ASKS)
    assert ended.ending == ("done", 0)
    assert [event["ok"] for event in ended.of("ack")] == [True]
    assert "\x07Graz" in desk.told_to_the_model()[0]


def test_a_permission_is_asked_beside_a_question(desk: Desk) -> None:
    desk.script([ask(), bash("touch made")])

    def reply(event: Event) -> Event | None:
        if event["type"] == "permission_request":
            return permit(event, actor="ada")
        return answer(event, {"Which city?": "Graz"}, actor="bob") if event["type"] == "question" else None

    ended = desk.converse(reply, tools=["AskUserQuestion", "Bash"], permissions={"mode": "ask"})
    assert {event["status"] for event in results(ended).values()} == {"ok"}
    assert [event["actor"] for event in ended.of("permission_resolved")] == ["ada"]
    assert [event["actor"] for event in ended.of("question_resolved")] == ["bob"]


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
