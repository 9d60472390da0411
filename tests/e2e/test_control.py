"""Control messages on stdin, and stdin as the lifeline."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from agent_workers.simulator import Simulator
from tests.e2e.worker import Home, Running, encoded

pytestmark = pytest.mark.usefixtures("loaded")
REQUEST = {"prompt": "x", "metadata": {"order": 4711}}
ABORT = {"type": "abort", "id": "stop-1"}


@pytest.fixture
def running(home: Home, simulator: Simulator) -> Iterator[Running]:
    """A run that is silent until it is stopped."""
    simulator.play("stall-before")
    running = home.start("--control")
    running.send(REQUEST)
    running.wait_for("session")
    return running


def test_an_abort_is_acknowledged_and_then_ends_the_run(running: Running) -> None:
    running.send(ABORT)
    ended = running.end()
    assert ended.ending == ("aborted", 3)
    assert ended.types[-2:] == ["ack", "aborted"]
    assert (ended.events[-2]["id"], ended.events[-2]["ok"]) == ("stop-1", True)
    assert ended.last["reason"] == "client"


def test_the_end_of_stdin_means_that_the_parent_is_gone(running: Running) -> None:
    running.end_input()
    ended = running.end()
    assert ended.ending == ("aborted", 3)
    assert ended.last["reason"] == "parent_gone"
    assert ended.last["metadata"] == REQUEST["metadata"]


def test_without_control_the_end_of_stdin_is_no_stop(home: Home) -> None:
    assert home.run({"prompt": "x"}).ending == ("done", 0)


def test_a_run_that_ends_by_itself_does_not_wait_for_the_end_of_stdin(home: Home) -> None:
    assert home.run(b'{"prompt": "x"}\n', "--control").ending == ("done", 0)


@pytest.mark.parametrize("between", [b"\n", b"\r\n", b"\n\n\n"], ids=["LF", "CRLF", "empty lines"])
def test_control_messages_may_come_in_the_same_write_as_the_request(home: Home, between: bytes) -> None:
    ended = home.run(encoded(REQUEST) + between + encoded(ABORT) + b"\n", "--control")
    assert ended.ending == ("aborted", 3)
    assert ended.last["reason"] == "client"
    assert ended.of("ack")[0]["ok"] is True


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


def test_an_invalid_message_is_answered_with_a_code_and_changes_nothing(running: Running) -> None:
    for message, _ in INVALID.values():
        running.send(message)
    running.wait_for("ack", count=len(INVALID))
    running.send(ABORT)
    *answers, last = running.end().of("ack")
    assert [(ack["id"], ack["ok"], ack["code"]) for ack in answers] == [
        ("m", False, code) for _, code in INVALID.values()
    ]
    assert last["ok"] is True


def test_the_log_says_what_is_wrong_with_an_invalid_message(home: Home) -> None:
    running = home.start("--control", "--simulate=slow", env={"AGENT_WORKERS_LOG": "warning"})
    running.send(REQUEST)
    running.send({"type": "permission", "id": "m", "permission_id": "p", "behavior": "yes", "\x1b[31m": 1})
    running.wait_for("ack")
    running.send(ABORT)
    told = running.end().stderr
    assert 'a control message changed nothing: /behavior must be "allow" or "deny"; /\\x1b[31m is not a known' in told


def test_a_line_without_a_readable_id_is_answered_with_a_notice(running: Running) -> None:
    for line, _ in UNREADABLE.values():
        running.write(line + b"\n")
    running.wait_for("notice", count=len(UNREADABLE))
    running.send(ABORT)
    ended = running.end()
    assert [notice["code"] for notice in ended.of("notice")] == [code for _, code in UNREADABLE.values()]
    assert {notice["level"] for notice in ended.of("notice")} == {"warning"}
    assert ended.ending == ("aborted", 3)


def test_a_line_of_any_length_changes_nothing_and_the_next_one_is_read(running: Running) -> None:
    running.write(
        b'{"type": "abort", "id": "' + b"x" * (33 << 20) + b'"}\n' + encoded({"type": "pause", "id": "m"}) + b"\n"
    )
    running.wait_for("ack")
    running.send(ABORT)
    ended = running.end()
    assert [notice["code"] for notice in ended.of("notice")] == ["line_too_long"]
    assert [ack["id"] for ack in ended.of("ack")] == ["m", "stop-1"]


def test_a_flood_of_messages_is_answered_in_order(running: Running) -> None:
    count = 2000
    messages = [encoded({"type": "pause", "id": str(number)}) for number in range(count)]
    running.write(b"\n".join(messages) + b"\n")
    running.wait_for("ack", count=count)
    running.send(ABORT)
    assert [ack["id"] for ack in running.end().of("ack")] == [*map(str, range(count)), "stop-1"]


def test_messages_after_the_end_are_not_answered(home: Home) -> None:
    running = home.start("--control")
    running.send(REQUEST)
    running.wait_for("done")
    running.send(ABORT)
    running.send({"type": "pause", "id": "m"})
    ended = running.end()
    assert ended.ending == ("done", 0)
    assert ended.of("ack") == []


def test_a_faulty_request_is_refused_without_waiting_for_more(home: Home) -> None:
    ended = home.run(b'{"prompt": 1}\n' + encoded(ABORT) + b"\n", "--control")
    assert ended.types == ["error"]
    assert ended.ending == ("invalid_request", 2)


def test_under_control_the_request_stands_on_one_line(home: Home) -> None:
    ended = home.run(b'{\n  "prompt": "x"\n}\n', "--control")
    assert ended.ending == ("invalid_request", 2)
