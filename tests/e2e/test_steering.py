"""A word to the agent while it works: it reads it in the same turn, or the sender learns that it came too late."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from agent_workers.simulator import Scenario
from agent_workers.simulator.scenario import Message, Text
from tests.e2e.conftest import desk_at
from tests.e2e.desk import Desk, bash, call, give, permit
from tests.e2e.engines import BOTH
from tests.e2e.loaded import LoadedWorkers
from tests.e2e.stream import Event
from tests.e2e.test_questions import answer, ask
from tests.e2e.worker import Ended
from tests.live_files import conversations
from tests.waiting import PATIENCE_S, clock_s, until

pytestmark = pytest.mark.usefixtures("loaded")

WAIT = "while [ ! -e go ]; do sleep 0.02; done"
BASH: dict[str, Any] = {"tools": ["Bash"], "permissions": {"allow": ["Bash"]}}


def steer(text: str, name: str = "s", **more: Any) -> Event:
    return {"type": "steer", "id": name, "text": text, **more}


def acks(ended: Ended) -> dict[str, str | None]:
    return {event["id"]: event.get("code") for event in ended.of("ack")}


def heard(desk: Desk) -> str:
    """All that the model was told in its last call."""
    return json.dumps(desk.simulator.requests("/v1/messages")[-1].body["messages"], ensure_ascii=False)


def during_a_tool(desk: Desk, *messages: Event) -> Ended:
    """Runs a task whose command waits until what is said to it has been written."""
    running = desk.start("--control")
    running.send(desk.request(**BASH))
    running.wait_for("tool_call")
    for message in messages:
        running.send(message)
    running.send({"type": "app_tool_output", "id": "after", "call_id": "none", "text": "x"})
    running.wait_for("ack")  # all that came before it has been read
    words = [message for message in messages if message["text"].strip()]
    until(lambda: _queued(desk) == 1 + len(words), what="the CLI has the prompt and the words")
    desk.file("go")
    return running.end()


def _queued(desk: Desk) -> int:
    """How many messages the CLI has taken into its queue, by the transcript."""
    return sum(path.read_bytes().count(b'"operation":"enqueue"') for path in conversations(desk.home.root))


ODD = "/compact @/etc/hosts !touch made #remember nul\0 \u202e ${HOME} 🎉"


@pytest.fixture(scope="module")
def told_during_a_tool(tmp_path_factory: pytest.TempPathFactory, loaded: LoadedWorkers) -> Iterator[tuple[Desk, Ended]]:
    """A run to which some words are said while its command waits, one of them of a megabyte."""
    with desk_at(tmp_path_factory.mktemp("told"), loaded) as desk:
        desk.script(bash(WAIT), end="Read it.")
        words = [steer(ODD, "a", actor="user-7"), steer("And this.", "b"), steer(" \n", "blank")]
        yield desk, during_a_tool(desk, *words, steer("x" * 1_000_000 + "end", "long"))


def test_what_is_said_during_a_tool_is_read_in_the_same_turn_in_its_order_and_as_it_is(
    told_during_a_tool: tuple[Desk, Ended],
) -> None:
    desk, ended = told_during_a_tool
    assert ended.ending == ("done", 0)
    assert ended.last["text"] == "Read it."
    assert acks(ended) == {"a": None, "b": None, "blank": "invalid_message", "long": None, "after": "not_pending"}
    steered = [(event["id"], event.get("actor")) for event in ended.of("steered")]
    assert steered == [("a", "user-7"), ("b", None), ("long", None)]
    order = ended.types
    assert order.index("tool_result") < order.index("steered")
    answers = [event["id"] for event in ended.events if event["type"] in ("ack", "steered")]
    assert answers[-6:] == ["a", "a", "b", "b", "long", "long"]
    told = desk.simulator.requests("/v1/messages")[-1].body["messages"]
    texts = _texts(told)
    assert texts.index(ODD) < texts.index("And this.") < texts.index("xxx")
    assert not (desk.cwd / "made").exists()
    assert len(desk.simulator.requests("/v1/messages")) == 2


def test_a_word_of_a_megabyte_reaches_the_agent_whole(told_during_a_tool: tuple[Desk, Ended]) -> None:
    desk, ended = told_during_a_tool
    assert "long" in [event["id"] for event in ended.of("steered")]
    assert "x" * 1_000_000 + "end" in heard(desk)


def _texts(messages: list[Any]) -> str:
    parts = []
    for message in messages:
        content = message["content"]
        parts += [content] if isinstance(content, str) else [str(block.get("text", "")) for block in content]
    return "\n".join(parts)


def test_a_word_before_the_session_waits_for_a_tool_and_stays_in_the_conversation(desk: Desk) -> None:
    desk.script(bash(WAIT))
    running = desk.start("--control")
    running.write(
        json.dumps(desk.request(**BASH)).encode() + b"\n" + json.dumps(steer("Call it Graz.")).encode() + b"\n"
    )
    running.wait_for("tool_call")
    desk.file("go")
    ended = running.end()
    assert ended.types.index("session") < ended.types.index("steered")
    assert acks(ended) == {"s": None}
    desk.script(end="Graz.")
    desk.run(session={"resume": ended.last["session_id"]}, **BASH)
    assert "Call it Graz." in heard(desk)


@BOTH
@pytest.mark.parametrize("partial", [True, False])
def test_a_word_that_no_tool_follows_comes_too_late_and_starts_no_turn(desk: Desk, partial: bool) -> None:
    desk.script(end="Hello.")
    running = desk.home.start("--control")
    running.write(b'{"prompt": "Hi", "stream": {"partial": %s}}\n' % json.dumps(partial).encode())
    running.send(steer("Wait!", "first"))
    for number in range(200):
        running.send(steer("Wait!", f"more-{number}"))
    ended = running.end()
    assert ended.ending == ("done", 0)
    assert ended.last["text"] == "Hello."
    told = acks(ended)
    assert set(told.values()) == {"too_late"}
    assert list(told) == ["first", *(f"more-{number}" for number in range(len(told) - 1))]
    assert ended.of("steered") == []
    assert len(desk.simulator.requests("/v1/messages")) == 1


def test_words_at_every_moment_get_each_one_answer_and_the_run_one_end(desk: Desk) -> None:
    texts = ("Let me see. " * 20, "And now. " * 20)
    desk.simulator.play(_talking(*texts))
    running = desk.start("--control")
    running.send(desk.request(**BASH, stream={"ping_s": 1}))
    sent = 0
    for event in running.told():
        if event["type"] in ("delta", "tool_call", "tool_result", "session") and sent < 60:
            running.send(steer(f"Word {sent}.", str(sent)))
            sent += 1
    ended = running.end()
    assert ended.ending == ("done", 0)
    told = acks(ended)
    steered = [event["id"] for event in ended.of("steered")]
    assert [name for name, code in told.items() if code is None] == steered
    assert set(told.values()) <= {None, "too_late"}
    assert steered
    said = _texts(desk.simulator.requests("/v1/messages")[-1].body["messages"])
    for name, code in told.items():
        assert (f"Word {name}.\n" in said) == (code is None), name
    assert len(desk.simulator.requests("/v1/messages")) == 4
    assert ended.last["text"].strip() == texts[1].strip()


def _talking(first: str, last: str) -> Scenario:
    steps = [Message(content=(Text(text=first), bash(f"sleep 0.2; echo {number}"))) for number in range(3)]
    return Scenario(name="t", description="d", steps=(*steps, Message(content=(Text(text=last),))))


@pytest.mark.parametrize("partial", [True, False])
def test_a_word_before_or_during_the_last_call_of_a_run_comes_too_late_and_starts_no_turn(
    desk: Desk, partial: bool
) -> None:
    """The call is the last by the limit of turns, and then, in the resumed session, because it is deferred."""
    fields: dict[str, Any] = {"stream": {"partial": partial}}
    ways: dict[str, dict[str, Any]] = {
        "max_turns": {**BASH, "max_turns": 1},
        "permission_required": {"tools": ["Bash"], "max_turns": 5, "permissions": {"mode": "defer"}},
    }
    for reason, way in ways.items():
        desk.script(bash(f"touch {reason}; while [ ! -e go-{reason} ]; do sleep 0.02; done"))
        before = len(desk.simulator.requests("/v1/messages"))
        running = desk.start("--control")
        request = desk.request(**fields, **way)
        running.write(json.dumps(request).encode() + b"\n" + json.dumps(steer("Unread.", "early")).encode() + b"\n")
        running.wait_for("tool_call")
        running.send(steer("Unread.", "late"))
        if reason == "max_turns":
            until((desk.cwd / reason).exists)
        desk.file(f"go-{reason}")
        ended = running.end()
        assert ended.last["stop_reason"] == reason
        assert (acks(ended), ended.of("steered")) == ({"early": "too_late", "late": "too_late"}, []), reason
        assert len(desk.simulator.requests("/v1/messages")) == before + 1, reason
        assert (desk.cwd / reason).exists() == (reason == "max_turns")
        assert "Unread." not in heard(desk), reason
        fields["session"] = {"resume": ended.last["session_id"]}
    decision = {"tool_use_id": ended.last["pending"]["tool_use_id"], "behavior": "allow"}
    way["permissions"]["decision"] = decision
    assert desk.run(**fields, **way).ending == ("done", 0)
    assert (desk.cwd / "permission_required").exists()
    assert "Unread." not in heard(desk)


def test_an_open_question_is_a_tool_at_work(desk: Desk) -> None:
    desk.script(bash("touch made"), ask(), call("mcp__app__find", city="Graz"))
    replies = {"permission_request": permit, "question": _graz, "app_tool_call": lambda event: give(event, "x")}
    tool = {"name": "find", "description": "d", "input_schema": {"type": "object"}}
    running = desk.start("--control")
    running.send(desk.request(tools=["Bash", "AskUserQuestion"], permissions={"mode": "ask"}, app_tools=[tool]))
    for event in running.told():
        if event["type"] in replies:
            running.send(steer(f"Quickly, by the {event['type']}.", event["type"]))
            running.send(replies[event["type"]](event))
    ended = running.end()
    assert [event["id"] for event in ended.of("steered")] == list(replies)
    for kind in replies:
        assert f"Quickly, by the {kind}." in heard(desk), kind


def _graz(event: Event) -> Event:
    return answer(event, {"Which city?": "Graz"})


def test_a_run_that_is_stopped_with_an_unread_word_says_so_and_begins_no_turn(desk: Desk) -> None:
    """However it is stopped; and whoever resumes it does not hear the word either."""
    session: dict[str, Any] = {}
    for stop in ("abort", "signal", "timeout"):
        desk.script(bash(WAIT))
        before = len(desk.simulator.requests("/v1/messages"))
        running = desk.start("--control")
        limits = {"timeout_s": clock_s(8) if stop == "timeout" else PATIENCE_S}
        running.send(desk.request(**BASH, **session, limits=limits))
        running.wait_for("tool_call")
        running.send(steer("Unread."))
        running.send({"type": "app_tool_output", "id": "after", "call_id": "none", "text": "x"})
        running.wait_for("ack")
        if stop == "abort":
            running.send({"type": "abort", "id": "stop"})
        elif stop == "signal":
            running.signal(15)
        ended = running.end()
        assert ended.last["type"] == ("error" if stop == "timeout" else "aborted"), stop
        assert acks(ended)["s"] == "too_late", stop
        assert ended.of("steered") == [], stop
        assert len(desk.simulator.requests("/v1/messages")) == before + 1, stop
        assert "Unread." not in heard(desk), stop
        session = {"session": {"resume": ended.last["session_id"]}}
    desk.script(end="Again.")
    assert desk.run(**session, **BASH).ending == ("done", 0)
    assert "Unread." not in heard(desk)
