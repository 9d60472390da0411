"""The application's own tools: the model calls, the application answers, and nothing that goes wrong hangs a run."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.beginning import Begin
from tests.e2e.desk import IDLE, SOON_IDLE, Desk, call, give, longer_than_idle, results
from tests.e2e.engines import BOTH, OF_AGENTS
from tests.e2e.stream import Event
from tests.e2e.worker import Ended

pytestmark = [pytest.mark.usefixtures("loaded"), BOTH]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
FIND = {
    "name": "find_partner",
    "description": "Finds a partner by name.",
    "input_schema": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
}
BRIEFLY = {**FIND, "timeout_s": 0.3}
Answer = Callable[[Event], Event | None]
WORKERS = pytest.mark.parametrize("worker", ["agent-chat", pytest.param("agent-task", marks=OF_AGENTS)])


def on_call(answer: Answer) -> Answer:
    return lambda event: answer(event) if event["type"] == "app_tool_call" else None


def called(desk: Desk, worker: str) -> tuple[Ended, list[dict[str, Any]], list[str]]:
    """A run with one call; the tools that the model was shown, and what it was told."""
    desk.script(call("mcp__app__find_partner", name="Acme"), end="The application says: ${result}.")
    reply = on_call(lambda event: give(event, f"{event['input']['name']}: Berlin"))
    ended = desk.converse(reply, worker=worker, app_tools=[FIND])
    return ended, desk.simulator.requests("/v1/messages")[-1].body["tools"], desk.told_to_the_model()


@WORKERS
def test_the_model_calls_a_tool_that_the_application_runs(begin: Begin, worker: str) -> None:
    ended, _, told = begin(f"a call in {worker}", lambda desk: called(desk, worker))
    assert ended.ending == ("done", 0)
    [asked] = ended.of("app_tool_call")
    assert (asked["name"], asked["input"]) == ("find_partner", {"name": "Acme"})
    assert asked["expires_at"] > asked["ts"]
    [result] = ended.of("tool_result")
    assert (result["status"], result["content"]) == ("ok", "Acme: Berlin")
    assert told == ["Acme: Berlin"]
    assert ended.last["text"] == "The application says: Acme: Berlin."
    assert ended.of("session")[0]["tools"] == ["mcp__app__find_partner"]


def printing(event: Event, text: str) -> Event:
    return {"type": "app_tool_output", "id": f"print-{text}", "call_id": event["call_id"], "text": text}


def test_what_a_tool_prints_and_what_is_said_of_its_result_is_told_of_the_right_call(desk: Desk) -> None:
    desk.script(
        [call("mcp__app__find_partner", name=name) for name in ("Acme", "Globex")],
        call("mcp__app__find_partner", name="Acme"),
    )
    asked: dict[str, Event] = {}

    def reply(event: Event) -> Event | None:
        if event["type"] == "app_tool_call":
            asked[event["tool_use_id"]] = event
            return printing(event, f"{event['input']['name']}?\r\n")
        of = asked.get(event.get("tool_use_id", ""))
        if of and event["type"] == "tool_output":
            failed = of["input"]["name"] == "Globex"
            return give(of, "x", is_error=failed, retryable=failed, replayed=not failed)
        return printing(of, "late") if of and event["type"] == "tool_result" else None

    first = desk.converse(reply, worker="agent-chat", app_tools=[FIND], stream={"tool_output": True}, run="again")
    names = {event["tool_use_id"]: event["input"]["name"] for event in first.of("tool_call")}
    told = [(names[event["tool_use_id"]], event["text"]) for event in first.of("tool_output")]
    assert sorted(told) == [("Acme", "Acme?\r\n"), ("Acme", "Acme?\r\n"), ("Globex", "Globex?\r\n")]
    said = {
        (names[event["tool_use_id"]], event.get("retryable"), event.get("replayed"))
        for event in first.of("tool_result")
    }
    assert said == {("Acme", None, True), ("Globex", True, None)}
    late = [(ack["ok"], ack.get("code")) for ack in first.of("ack") if ack["id"] == "print-late"]
    assert set(late) == {(False, "not_pending")}

    desk.script(*[call("mcp__app__find_partner", name="Acme")] * 3)
    waiting: list[Event] = []

    def print_first(event: Event) -> Event | None:
        if event["type"] == "app_tool_call":
            waiting.append(event)
            return printing(event, "x")
        return give(waiting[-1], "Graz") if event.get("id") == "print-x" else None

    second = desk.converse(print_first, worker="agent-chat", app_tools=[FIND], run="again")
    assert second.of("tool_output") == []
    assert all(ack["ok"] for ack in second.of("ack"))
    keys = [event["effect_key"] for event in second.of("app_tool_call")]
    assert len(set(keys)) == 3
    acmes = [event["effect_key"] for event in first.of("app_tool_call") if event["input"]["name"] == "Acme"]
    assert acmes == keys[:2]


def test_the_model_is_shown_the_tool_as_the_request_describes_it(begin: Begin) -> None:
    _, [tool], _ = begin("a call in agent-chat", lambda desk: called(desk, "agent-chat"))
    assert tool["name"] == "mcp__app__find_partner"
    assert tool["description"] == FIND["description"]
    assert tool["input_schema"]["properties"] == FIND["input_schema"]["properties"]


LOGO = [
    {"type": "text", "text": "The logo:"},
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
]
PARTNERS = [f"partner-{number}" for number in range(10)]
GIVEN: dict[str, dict[str, Any]] = {
    "closed": {"content": "The register is closed.", "is_error": True},
    "logo": {"content": LOGO},
    "large": {"content": "wörd " * 8_000},
    **{name: {"content": f"this is {name}"} for name in PARTNERS},
}


def _another_call(event: Event) -> Event:
    return give({"call_id": "0" * 32}, "x")


def _as_a_permission(event: Event) -> Event:
    return {"type": "permission", "id": "x", "permission_id": event["call_id"], "behavior": "allow"}


def _an_object_as_content(event: Event) -> Event:
    return give(event, {"name": "Acme"})


def _no_content(event: Event) -> Event:
    return {"type": "app_tool_result", "id": "x", "call_id": event["call_id"]}


WRONG = (_another_call, _as_a_permission, _an_object_as_content, _no_content)


def given_each(desk: Desk) -> tuple[Ended, str, list[str]]:
    """A run that calls for all of these at once, and then for what gets something that is no result of the call.

    Beside it what the model was sent, and what of it are the results.
    """
    wrong = {answer.__name__: answer for answer in WRONG}
    right = [call("mcp__app__find_partner", name=name) for name in GIVEN]
    desk.script(right, [call("mcp__app__find_briefly", name=name) for name in wrong])

    def answered(event: Event) -> Event | None:
        name = event["input"]["name"]
        return {**wrong[name](event), "id": name} if name in wrong else give(event, **GIVEN[name])

    tools = [FIND, {**BRIEFLY, "name": "find_briefly"}]
    ended = desk.converse(on_call(answered), worker="agent-chat", app_tools=tools)
    told = desk.told_to_the_model()[: len(GIVEN)]
    return ended, str(desk.simulator.requests("/v1/messages")[-1].body["messages"]), told


@pytest.fixture
def given(begin: Begin) -> tuple[Ended, str, list[str]]:
    return begin("results of each kind", given_each)


def test_an_error_of_the_application_reaches_the_model_as_one(given: tuple[Ended, str, list[str]]) -> None:
    result = results(given[0])["closed"]
    assert (result["status"], result["content"]) == ("error", "The register is closed.")


def test_images_and_texts_reach_the_model(given: tuple[Ended, str, list[str]]) -> None:
    _, sent, _ = given
    assert "The logo:" in sent
    assert PIXEL in sent


def late(desk: Desk) -> tuple[Ended, list[str]]:
    """A run with two calls that get no result in time, but one when it is too late; what the model is told."""
    names = ("Acme", "Globex")
    desk.script(*(call("mcp__app__find_partner", name=name) for name in names), end="I could not find out.")
    calls: list[Event] = []

    def reply(event: Event) -> Event | None:
        if event["type"] == "app_tool_call":
            calls.append(event)
            if len(calls) == 2:
                return give(calls[0], "too late")
        return None

    ended = desk.converse(reply, worker="agent-chat", app_tools=[BRIEFLY])
    return ended, desk.told_to_the_model()


def test_no_result_in_time_is_an_error_that_the_model_sees(begin: Begin) -> None:
    ended, told = begin("late", late)
    assert ended.ending == ("done", 0)
    assert [event["status"] for event in ended.of("tool_result")] == ["error"] * 2
    assert told == ["The application gave no result within 0.3 seconds."] * 2
    assert ended.last["text"] == "I could not find out."


def test_a_late_result_changes_nothing(begin: Begin) -> None:
    ended, told = begin("late", late)
    assert [(ack["ok"], ack["code"]) for ack in ended.of("ack")] == [(False, "not_pending")]
    assert not any("too late" in text for text in told)


@pytest.mark.parametrize("answer", WRONG)
def test_what_is_no_result_of_the_call_becomes_an_error_and_no_hang(
    given: tuple[Ended, str, list[str]], answer: Answer
) -> None:
    ended, *_ = given
    assert ended.ending == ("done", 0)
    assert [ack["ok"] for ack in ended.of("ack") if ack["id"] == answer.__name__] == [False]
    assert results(ended)[answer.__name__]["status"] == "error"


def test_the_end_of_stdin_during_a_call_ends_the_run(desk: Desk) -> None:
    desk.script(call("mcp__app__find_partner", name="Acme"))
    running = desk.home.start("--control")
    running.send({"prompt": "x", "app_tools": [FIND]})
    running.wait_for("app_tool_call")
    running.end_input()
    assert running.end().ending == ("aborted", 3)


def resumed(desk: Desk, session_id: str) -> tuple[Ended, list[str]]:
    """A run that goes on with a conversation and gets its result late; what the model is told."""
    desk.script(call("mcp__app__find_partner", name="Globex"))
    asked: list[Event] = []

    def late(event: Event) -> Event | None:
        if event["type"] == "app_tool_call":
            asked.append(event)
        return give(asked.pop(), "at last") if asked and longer_than_idle(event, idle) else None

    idle = SOON_IDLE if desk.home.engine else IDLE
    session = {"resume": session_id}
    ended = desk.converse(late, worker="agent-chat", app_tools=[FIND], session=session, **idle)
    return ended, desk.told_to_the_model()


@pytest.fixture
def waited(begin: Begin) -> tuple[Ended, list[str]]:
    first, *_ = begin("a call in agent-chat", lambda desk: called(desk, "agent-chat"))
    return begin("resumed", lambda desk: resumed(desk, first.last["session_id"]))


def test_a_tool_that_waits_for_its_application_is_not_idle(waited: tuple[Ended, list[str]]) -> None:
    ended, told = waited
    assert ended.ending == ("done", 0)
    assert told[1:] == ["at last"]  # the first result is one of the conversation before


def test_several_calls_at_once_each_get_their_own_result(given: tuple[Ended, str, list[str]]) -> None:
    _, _, told = given
    assert told[-len(PARTNERS) :] == [f"this is {name}" for name in PARTNERS]


def test_a_large_result_reaches_the_model(given: tuple[Ended, str, list[str]]) -> None:
    ended, _, told = given
    assert ended.ending == ("done", 0)
    assert results(ended)["large"]["status"] == "ok"
    assert "wörd wörd" in told[list(GIVEN).index("large")]


def test_the_tools_of_a_conversation_are_there_again_when_it_is_resumed(waited: tuple[Ended, list[str]]) -> None:
    second, _ = waited
    assert second.ending == ("done", 0)
    assert results(second)["Globex"]["status"] == "ok"


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "number?"}, "type"),
        ({"$ref": "http://127.0.0.1:1/x"}, "$ref"),
        ({"pattern": r"^\p{L}+$"}, "pattern"),
    ],
)
def test_a_schema_that_cannot_be_checked_is_refused(desk: Desk, schema: dict[str, Any], place: str) -> None:
    input_schema = {"type": "object", "properties": {"n": schema}}
    request = {"prompt": "x", "app_tools": [{**FIND, "input_schema": input_schema}]}
    ended = desk.home.run(request, "--control", after=b"\n")
    assert ended.ending == ("invalid_request", 2)
    [problem] = ended.last["details"]
    assert problem["pointer"] == f"/app_tools/0/input_schema/properties/n/{place}"


def test_without_control_the_applications_tools_are_refused(desk: Desk) -> None:
    ended = desk.home.run({"prompt": "x", "app_tools": [FIND]})
    assert ended.ending == ("invalid_request", 2)
    [problem] = ended.last["details"]
    assert (problem["pointer"], "--control" in problem["message"]) == ("/app_tools", True)


def test_a_pattern_that_takes_for_ever_holds_up_nothing(desk: Desk) -> None:
    slow = {"type": "object", "properties": {"name": {"type": "string", "pattern": "^(a+)+$"}}}
    desk.script(call("mcp__app__find_partner", name="a" * 40 + "!"))
    running = desk.home.start("--control")
    running.send({"prompt": "x", "app_tools": [{**FIND, "input_schema": slow}], "stream": {"ping_s": 0.2}})
    running.wait_for("tool_call")
    running.wait_for("ping", count=3)
    running.send({"type": "abort", "id": "stop"})
    assert running.end().ending == ("aborted", 3)


PATTERN = {"Acme": "ok", "acme": "error"}


def checked(desk: Desk) -> Ended:
    """A run that calls one tool with input that breaks its schema, one with each of the names, and a denied one."""
    schema = {"type": "object", "properties": {"name": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"pattern": "^[A-Z]"}}}
    broken = [call("mcp__app__find_partner", name=7), call("mcp__app__find_partner", nom="Broken")]
    named = [call("mcp__app__by_pattern", name=name) for name in PATTERN]
    tools = [FIND, {**FIND, "name": "by_pattern", "input_schema": schema}, {**FIND, "name": "denied"}]
    berlin = on_call(lambda event: give(event, "Berlin"))
    if desk.home.engine:  # a chat has no permissions
        desk.script([*broken, *named])
        return desk.converse(berlin, worker="agent-chat", app_tools=tools)
    desk.script([*broken, *named], call("mcp__app__denied", name="Denied"))
    deny = {"deny": ["mcp__app__denied"]}
    return desk.converse(berlin, app_tools=tools, permissions=deny)


def test_input_that_breaks_the_schema_never_reaches_the_application(begin: Begin) -> None:
    ended = begin("checks", checked)
    assert [event["name"] for event in ended.of("app_tool_call")] == ["by_pattern"]
    wrong, missing = results(ended)["7"], results(ended)["Broken"]
    assert (wrong["status"], missing["status"]) == ("error", "error")
    assert "$.name: 7 is not of type 'string'" in wrong["content"]
    assert "'name' is a required property" in missing["content"]
    assert ended.ending == ("done", 0)


@pytest.mark.parametrize(("name", "status"), PATTERN.items())
def test_a_pattern_is_checked(begin: Begin, name: str, status: str) -> None:
    assert results(begin("checks", checked))[name]["status"] == status


@OF_AGENTS
def test_a_deny_rule_also_holds_for_the_applications_tools(begin: Begin) -> None:
    ended = begin("checks", checked)
    assert "denied" not in {event["name"] for event in ended.of("app_tool_call")}
    assert results(ended)["Denied"]["status"] in ("denied", "error")
