"""Whatever a worker writes, its caller gets events that can be told on, one terminal one, and a result or a failure."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from agent_workers.client.errors import RunError
from agent_workers.client.event import Event
from agent_workers.client.reader import EventReader, lost
from agent_workers.client.result import Outcome
from agent_workers.protocol.v1.envelope import TERMINAL
from agent_workers.wire import dump

SOUND = {
    "v": 1,
    "run": "r",
    "ts": "",
    "text": "x",
    "block": 1,
    "blocks": [1],
    "stop_reason": "end_turn",
    "code": "c",
    "message": "m",
    "retryable": True,
    "reason": "client",
    "usage": {},
}
NAMES = [*SOUND, "cost_usd", "session_id", "truncated_bytes", "retry_after_ms", "details", "output"]
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "x", "\ud800"]),
    lambda parts: st.lists(parts, max_size=2) | st.dictionaries(st.sampled_from(["a", "b"]), parts, max_size=2),
    max_leaves=4,
)
EVENTS = st.builds(
    lambda kind, seq, odd: {**SOUND, "seq": seq, "type": kind, **odd},
    st.sampled_from(["start", "delta", "discard", "other", *TERMINAL]),
    st.integers(1, 5),
    st.dictionaries(st.sampled_from(NAMES), ODD, max_size=3),
)


@given(st.lists(EVENTS, max_size=4), st.integers(1, 99))
@example([{**SOUND, "seq": 1, "type": "done", "text": "\ud800", "truncated_bytes": 1}], 9)
def test_odd_events_come_to_one_end_that_can_be_told_on(written: list[dict[str, Any]], size: int) -> None:
    events = list(_read(b"\n".join(json.dumps(each).encode() for each in written), size))
    assert [event["type"] in TERMINAL for event in events] == [False] * (len(events) - 1) + [True]
    outcome = Outcome()
    for event in events:
        outcome.add(event)
        dump(event)
    with suppress(RunError):
        dump(outcome.result().event)


def _read(data: bytes, size: int) -> Iterator[Event]:
    reader = EventReader("r")
    for begin in range(0, len(data), size):
        yield from reader.push(data[begin : begin + size])
    yield from reader.end(lost())


TRANSCRIPT = Path(__file__).parents[2] / "conformance/v1/transcripts/second-attempt.ndjson"


def _event(seq: int, kind: str = "delta", **fields: Any) -> bytes:
    return json.dumps({**SOUND, "seq": seq, "type": kind, **fields}).encode() + b"\n"


def test_a_later_attempt_is_no_gap_and_its_result_holds_nothing_of_the_lost_one() -> None:
    events = list(_read(TRANSCRIPT.read_bytes(), 100))
    assert [event["seq"] for event in events] == [*range(1, 12), *range(1, 10)]
    assert "notice" not in {event["type"] for event in events}
    outcome = Outcome()
    for event in events:
        outcome.add(event)
    assert (outcome.result().text, outcome.result().session_id) == ("They say one and two.", "session-2")


def test_a_text_that_was_cut_is_completed_from_the_last_attempt_alone() -> None:
    lines = [_event(1, "start"), _event(2, text="lost "), _event(1, "start", attempt=2), _event(2, text="the answer")]
    outcome = Outcome()
    for event in _read(b"".join([*lines, _event(3, "done", text="the", truncated_bytes=7)]), 50):
        outcome.add(event)
    assert outcome.result().text == "the answer"


def test_a_gap_in_a_later_attempt_is_told() -> None:
    events = list(_read(_event(1, "start") + _event(2) + _event(1, "start", attempt=3) + _event(4), 99))
    assert [event["type"] for event in events] == ["start", "delta", "start", "notice", "delta", "error"]
    assert [event["seq"] for event in events] == [1, 2, 1, 2, 4, 5]


def test_an_attempt_that_begins_after_a_later_one_is_skipped() -> None:
    events = list(_read(_event(1, "start", attempt=3) + _event(1, "start", attempt=2) + _event(2, "done"), 99))
    assert [(event["type"], event.get("attempt")) for event in events] == [("start", 3), ("done", None)]
