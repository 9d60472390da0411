"""Recordings: what can be played, and what comes of it."""

import json
import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from agent_workers.engine.replay import BrokenRecording, Recording, ReplayEngine, read_recording
from agent_workers.protocol.v1.events import Aborted, Body, Done, Error
from tests.waiting import PATIENCE_S

Event = dict[str, Any]

START: Event = {"type": "start", "worker": "agent-chat", "simulated": False, "metadata": {"order": 7}}
DELTA: Event = {"type": "delta", "text": "Hello", "block": 1}
DONE: Event = {"type": "done", "stop_reason": "end_turn", "text": "Hello", "session_id": "s", "usage": {}, "turns": 1}


def lines(*bodies: Event, gap_s: float = 1, run: str = "recorded") -> bytes:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    events = [
        {"v": 1, "seq": index + 1, "run": run, "ts": (began + timedelta(seconds=index * gap_s)).isoformat(), **body}
        for index, body in enumerate(bodies)
    ]
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def played(recording: Recording, speed: float = math.inf) -> list[Body]:
    async def play() -> list[Body]:
        with anyio.fail_after(PATIENCE_S):
            async with ReplayEngine(recording, speed=speed) as engine:
                return [body async for body in engine.events()]

    return anyio.run(play)


def wires(bodies: Iterable[Body]) -> list[Event]:
    return [body.to_wire() for body in bodies]


def test_the_events_between_start_and_end_come_as_they_were_recorded() -> None:
    unknown = {"type": "invented", "zeta": 1, "alpha": {"deep": [1, None, "\u00e4"]}}
    extended = {**DELTA, "future_field": True}
    recording = read_recording(lines(START, unknown, extended, DONE))
    *between, ending = played(recording)
    assert [list(body.items()) for body in wires(between)] == [list(unknown.items()), list(extended.items())]
    assert isinstance(ending, Done)
    assert ending.text == "Hello"


def test_start_says_that_it_is_simulated_and_keeps_the_rest() -> None:
    recording = read_recording(lines(START, DONE))
    assert recording.start
    assert recording.start.to_wire() == {**START, "simulated": True}
    assert recording.echo == {"metadata": {"order": 7}}
    assert recording.run == "recorded"


def test_pings_and_acks_are_left_out() -> None:
    ping, ack = {"type": "ping", "idle_ms": 10_000}, {"type": "ack", "id": "1", "ok": True}
    recording = read_recording(lines(START, ping, DELTA, ack, DONE))
    assert [body["type"] for body in wires(played(recording))] == ["delta", "done"]


@pytest.mark.parametrize(("speed", "expected"), [(1, [1, 3, 4]), (4, [0.25, 0.75, 1]), (math.inf, [0, 0, 0])])
def test_the_pauses_are_those_recorded_divided_by_the_speed(
    speed: float, expected: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    awaited: list[float] = []

    async def sleep_until(deadline: float) -> None:
        awaited.append(deadline)

    monkeypatch.setattr(anyio, "sleep_until", sleep_until)
    monkeypatch.setattr(anyio, "current_time", lambda: 100.0)
    played(read_recording(lines(START, DELTA, {"type": "ping", "idle_ms": 1}, DELTA, DONE)), speed)
    assert awaited == pytest.approx([100 + seconds for seconds in expected])


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (DONE, Done),
        ({"type": "aborted", "reason": "client"}, Aborted),
        ({"type": "error", "code": "auth", "message": "No.", "retryable": False, "http_status": 401}, Error),
    ],
)
def test_every_kind_of_ending_is_played_as_recorded(body: Event, kind: type[Body]) -> None:
    [ending] = played(read_recording(lines(START, body)))
    assert isinstance(ending, kind)
    assert ending.to_wire() == body


def test_an_ending_with_fields_of_a_later_version_is_not_refused() -> None:
    usage = {"input_tokens": 1, "tokens_of_the_future": 2}
    [ending] = played(read_recording(lines(START, {**DONE, "usage": usage, "mood": "good"})))
    assert ending.to_wire()["usage"] == usage


@pytest.mark.parametrize("torn", [b"", b'{"v":1,"seq":3,"run":"recorded","ts":"2026-01'])
def test_a_recording_without_its_end_ends_as_worker_lost(torn: bytes) -> None:
    ending = played(read_recording(lines(START, DELTA) + torn))[-1]
    assert isinstance(ending, Error)
    assert (ending.code, ending.retryable) == ("worker_lost", True)


def test_a_last_line_that_lacks_only_its_newline_counts() -> None:
    assert isinstance(played(read_recording(lines(START, DONE).rstrip()))[-1], Done)


def test_the_session_is_known_once_it_was_told() -> None:
    async def play() -> list[str | None]:
        session = {"type": "session", "session_id": "s-1"}
        engine = ReplayEngine(read_recording(lines(START, DELTA, session, DELTA, DONE)), speed=math.inf)
        async with engine:
            return [engine.progress.session_id async for _ in engine.events()]

    assert anyio.run(play) == [None, "s-1", "s-1", "s-1"]


@pytest.mark.parametrize(("code", "refused"), [("invalid_request", True), ("policy_denied", True), ("internal", False)])
def test_a_lone_error_says_whether_the_request_was_refused(code: str, refused: bool) -> None:
    body = {"type": "error", "code": code, "message": "No.", "retryable": False}
    recording = read_recording(lines(body))
    assert recording.start is None
    assert recording.was_refused is refused
    assert read_recording(lines(START, body)).was_refused is False


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "line 1: there is no event"),
        (b'{"prompt": "Hello"}\n', "line 1: is no event of a run"),
        (lines(START) + b"oops\n", "line 2: not valid JSON at column 1:"),
        (lines(START) + b"[]\n", "line 2: is no event of a run"),
        (lines({**START, "ts": "yesterday"}), "line 1: ts is no RFC 3339 time"),
        (lines(DELTA, DONE), "line 1: a run begins with start"),
        (lines(START, DONE, DELTA), "line 3: follows the terminal event done"),
        (lines(START) + lines(DONE, run="other"), "line 2: belongs to another run"),
    ],
)
def test_what_is_no_recording_of_one_run_is_refused_with_the_line(data: bytes, fault: str) -> None:
    with pytest.raises(BrokenRecording, match=f"^{fault}"):
        read_recording(data)
