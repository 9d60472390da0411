"""Patterns of events, and what is sent."""

from typing import Any

import pytest

from agent_workers.conformance.fill import Unfilled, field_of, filled, merged
from agent_workers.conformance.match import matches, shown, told

EVENT = {"type": "error", "code": "invalid_request", "details": [{"pointer": "/a"}, {"pointer": "/b"}], "seq": 1}


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ({}, True),
        ({"type": "error"}, True),
        ({"type": "done"}, False),
        ({"seq": 1}, True),
        ({"seq": True}, False),
        ({"seq": {"$type": "number"}}, True),
        ({"code": {"$type": "number"}}, False),
        ({"code": {"$contains": "valid"}}, True),
        ({"code": {"$lacks": "valid"}}, False),
        ({"code": {"$in": ["auth", "invalid_request"]}}, True),
        ({"details": {"$contains": {"pointer": "/b"}}}, True),
        ({"details": {"$all": [{"$contains": {"pointer": "/b"}}, {"$contains": {"pointer": "/c"}}]}}, False),
        ({"details": [{"pointer": "/a"}]}, False),
        ({"details": [{}, {"pointer": "/b"}]}, True),
        ({"message": {"$absent": True}}, True),
        ({"code": {"$absent": True}}, False),
        ({"message": {"$contains": ""}}, False),
    ],
)
def test_a_pattern_fits_what_has_its_fields(pattern: Any, fits: bool) -> None:
    assert matches(pattern, EVENT) is fits


def test_a_pattern_is_told_in_words() -> None:
    wanted = {"type": "error", "code": "x", "details": {"$all": [{"$contains": {"pointer": "/a"}}, {"$type": "list"}]}}
    assert told(wanted) == 'error (code "x", details with (pointer "/a") and any list)'
    assert told({}) == "an event"
    assert told({"type": {"$in": ["ack", "done"]}}) == 'a type that is "ack" or "done"'


def test_what_cannot_be_seen_is_shown_as_a_number() -> None:
    assert shown({"a": "漢\u2028\x1b\ud83d"}) == '{"a": "漢\\u2028\\u001b\\ud83d"}'


def test_a_patch_changes_a_request_as_rfc_7396_says() -> None:
    request = {"prompt": "x", "limits": {"timeout_s": 1, "idle_timeout_s": 2}, "tools": ["a"]}
    patch = {"prompt": None, "limits": {"timeout_s": 9, "idle_timeout_s": None}, "tools": ["b"], "session": {"id": "s"}}
    assert merged(request, patch) == {"limits": {"timeout_s": 9}, "tools": ["b"], "session": {"id": "s"}}


def test_a_message_names_what_an_event_has_brought() -> None:
    def look_up(path: str) -> Any:
        return field_of({"call": {"id": 7}}, path)

    assert filled({"a": ["${call.id}", "no. ${call.id}", 1]}, look_up) == {"a": [7, "no. 7", 1]}
    with pytest.raises(Unfilled):
        filled("${call.name}", look_up)
