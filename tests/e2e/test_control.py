"""Control messages on stdin, and stdin as the lifeline."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pytest

from agent_workers.simulator import Simulator
from tests.e2e.conftest import desk_at
from tests.e2e.engines import BOTH, ONCE
from tests.e2e.loaded import LoadedWorkers
from tests.e2e.stream import Event
from tests.e2e.worker import Ended, Home, Running, encoded

pytestmark = [pytest.mark.usefixtures("loaded"), BOTH]
ABOUT = {"metadata": {"order": 4711}, "subject": {"type": "deal", "id": "7"}, "user": "ada", "goal": "Win."}
REQUEST = {"prompt": "x", **ABOUT}
ABORT = {"type": "abort", "id": "stop-1"}


def silent_run(home: Home, simulator: Simulator, env: dict[str, str] | None = None) -> Running:
    """A run that is silent until it is stopped."""
    simulator.play("stall-before")
    running = home.start("--control", env=env)
    running.send(REQUEST)
    running.wait_for("session")
    return running


def test_the_end_of_stdin_means_that_the_parent_is_gone(home: Home, simulator: Simulator) -> None:
    running = silent_run(home, simulator)
    running.end_input()
    ended = running.end()
    assert ended.ending == ("aborted", 3)
    assert ended.last["reason"] == "parent_gone"
    assert ended.last.items() >= ABOUT.items()


def test_without_control_the_end_of_stdin_is_no_stop(home: Home) -> None:
    assert home.run({"prompt": "x"}).ending == ("done", 0)


def test_a_run_that_ends_by_itself_does_not_wait_for_the_end_of_stdin(home: Home) -> None:
    assert home.run(b'{"prompt": "x"}\n', "--control").ending == ("done", 0)


@pytest.mark.parametrize("between", [b"\n", b"\r\n", b"\n\n\n"], ids=["LF", "CRLF", "empty lines"])
def test_control_messages_may_come_in_the_same_write_as_the_request(home: Home, between: bytes) -> None:
    ended = home.run(encoded(REQUEST) + between + encoded(ABORT) + b"\n", "--control")
    assert ended.ending == ("aborted", 3)
    assert ended.last["reason"] == "client"
    assert ended.last.items() >= ABOUT.items()
    assert ended.of("ack")[0]["ok"] is True
    if "session" in ended.types:
        assert ended.last["session_id"] == ended.of("session")[0]["session_id"]
    assert "Traceback" not in ended.stderr


def test_a_request_whose_stdin_ends_at_once_is_aborted(home: Home) -> None:
    running = home.start("--control")
    running.write(encoded(REQUEST))
    running.end_input()
    ended = running.end()
    assert ended.ending == ("aborted", 3)
    assert ended.last["reason"] == "parent_gone"


INVALID: dict[str, tuple[Any, str]] = {
    "unknown type": ({"type": "pause", "id": "m"}, "unknown_type"),
    "no type": ({"id": "m"}, "invalid_message"),
    "unknown field": ({**ABORT, "id": "m", "now": True}, "invalid_message"),
    "wrong type of field": (
        {"type": "permission", "id": "m", "permission_id": 1, "behavior": "allow"},
        "invalid_message",
    ),
    "unknown behaviour": (
        {"type": "permission", "id": "m", "permission_id": "p", "behavior": "yes"},
        "invalid_message",
    ),
    "more than one fault": (
        {"type": "permission", "id": "m", "permission_id": "p", "behavior": "yes", "\x1b[31m": 1},
        "invalid_message",
    ),
    "answer to no question": (
        {"type": "permission", "id": "m", "permission_id": "p", "behavior": "allow"},
        "not_pending",
    ),
    "denial of no question": (
        {"type": "permission", "id": "m", "permission_id": "p", "behavior": "deny"},
        "not_pending",
    ),
    "result of no call": ({"type": "app_tool_result", "id": "m", "call_id": "c", "content": "text"}, "not_pending"),
}
UNREADABLE = {
    "no JSON": (b"stop!", "invalid_json"),
    "not UTF-8": (b'{"type": "abort", "id": "\xff"}', "invalid_json"),
    "no object": (b"[1, 2]", "invalid_message"),
    "no id": (b'{"type": "abort"}', "invalid_message"),
    "an id that is no text": (b'{"type": "abort", "id": 7}', "invalid_message"),
    "an empty line": (b"", "invalid_json"),
    "a second request": (json.dumps(REQUEST).encode(), "invalid_message"),
    "nested too deep": (b'{"type": "abort", "id": ' + b"[" * 100_000, "invalid_json"),
}


FLOOD = 2000


@dataclass(frozen=True)
class Answered:
    """A silent run that got messages of all kinds, one kind after the other, and then an abort.

    Attributes:
        by_kind: What it told of each kind; but for the abort, which was answered last.
    """

    ended: Ended
    by_kind: dict[str, list[Event]]


@pytest.fixture(scope="module")
def answered(loaded: LoadedWorkers, tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[Answered]:
    too_long = b'{"type": "abort", "id": "' + b"x" * (33 << 20) + b'"}\n'
    pauses = [encoded({"type": "pause", "id": str(number)}) + b"\n" for number in range(FLOOD)]
    kinds = {
        "invalid": (b"".join(encoded(message) + b"\n" for message, _ in INVALID.values()), len(INVALID)),
        "unreadable": (b"".join(line + b"\n" for line, _ in UNREADABLE.values()), len(UNREADABLE)),
        "too long": (too_long + encoded({"type": "pause", "id": "m"}) + b"\n", 2),
        "a flood": (b"".join(pauses), FLOOD),
    }
    with desk_at(tmp_path_factory.mktemp("answered"), loaded, engine) as desk:
        running = silent_run(desk.home, desk.simulator, {"AGENT_WORKERS_LOG": "warning"})
        told = 0
        for messages, answers in kinds.values():
            running.write(messages)
            told += answers
            running.wait_for("ack", "notice", count=told)
        running.send(ABORT)
        ended = running.end()
        answers = iter(event for event in ended.events if event["type"] in ("ack", "notice"))
        yield Answered(ended, {kind: list(islice(answers, count)) for kind, (_, count) in kinds.items()})


def test_an_abort_is_acknowledged_and_then_ends_the_run(answered: Answered) -> None:
    ended = answered.ended
    assert ended.ending == ("aborted", 3)
    assert ended.types[-2:] == ["ack", "aborted"]
    assert (ended.events[-2]["id"], ended.events[-2]["ok"]) == ("stop-1", True)
    assert ended.last["reason"] == "client"


def test_an_invalid_message_is_answered_with_a_code_and_changes_nothing(answered: Answered) -> None:
    answers = answered.by_kind["invalid"]
    assert [(ack["id"], ack["ok"], ack["code"]) for ack in answers] == [
        ("m", False, code) for _, code in INVALID.values()
    ]


def test_a_line_without_a_readable_id_is_answered_with_a_notice(answered: Answered) -> None:
    notices = answered.by_kind["unreadable"]
    assert [notice["type"] for notice in notices] == ["notice"] * len(UNREADABLE)
    assert [notice["code"] for notice in notices] == [code for _, code in UNREADABLE.values()]
    assert {notice["level"] for notice in notices} == {"warning"}


def test_a_line_of_any_length_changes_nothing_and_the_next_one_is_read(answered: Answered) -> None:
    notice, ack = answered.by_kind["too long"]
    assert (notice["type"], notice["code"]) == ("notice", "line_too_long")
    assert (ack["type"], ack["id"]) == ("ack", "m")


def test_a_flood_of_messages_is_answered_in_order(answered: Answered) -> None:
    assert [(ack["type"], ack["id"]) for ack in answered.by_kind["a flood"]] == [
        ("ack", str(number)) for number in range(FLOOD)
    ]


def test_nothing_is_answered_twice(answered: Answered) -> None:
    told = answered.ended.of("ack") + answered.ended.of("notice")
    assert len(told) == sum(map(len, answered.by_kind.values())) + 1  # the abort's


def test_the_log_says_what_is_wrong_with_an_invalid_message(answered: Answered) -> None:
    told = answered.ended.stderr
    assert 'a control message changed nothing: /behavior must be "allow" or "deny"; /\\x1b[31m is not a known' in told


def test_messages_after_the_end_are_not_answered(home: Home) -> None:
    running = home.start("--control")
    running.send(REQUEST)
    running.wait_for("done")
    running.send(ABORT)
    running.send({"type": "pause", "id": "m"})
    ended = running.end()
    assert ended.ending == ("done", 0)
    assert ended.of("ack") == []


@ONCE
def test_a_faulty_request_is_refused_without_waiting_for_more(home: Home) -> None:
    ended = home.run(b'{"prompt": 1}\n' + encoded(ABORT) + b"\n", "--control")
    assert ended.types == ["error"]
    assert ended.ending == ("invalid_request", 2)


@ONCE
def test_under_control_the_request_stands_on_one_line(home: Home) -> None:
    ended = home.run(b'{\n  "prompt": "x"\n}\n', "--control")
    assert ended.ending == ("invalid_request", 2)
