"""Streams that stall, are cut or end with an error."""

import httpx
import pytest

from agent_workers.simulator import parse_scenario
from tests.waiting import PATIENCE_S

SILENCE_S = 3
ASKED = {"messages": [{"role": "user", "content": "Hello?"}], "stream": True}


def interrupted(kind, after):
    step = {"content": [{"type": "text", "words": 50}], "interruption": {"kind": kind, "after": after}}
    return parse_scenario("test", {"description": "For a test.", "steps": [step]})


@pytest.fixture
def stream(client):
    """Reads a stream into a buffer, to its end or until it raises."""
    got = bytearray()

    def read(**options):
        with client.stream("POST", "/v1/messages", json=ASKED, **options) as response:
            for data in response.iter_raw():
                got.extend(data)

    read.got = got
    return read


def count_deltas(data):
    return data.count(b"event: content_block_delta")


def outcome(simulator):
    def ended(records):
        return bool(records) and records[-1].outcome != "in_progress"

    return simulator.wait_for(ended, PATIENCE_S)[-1].outcome


def test_a_stall_before_the_answer_sends_no_byte(client, simulator):
    simulator.play("stall-before")

    with pytest.raises(httpx.ReadTimeout):
        client.post("/v1/messages", json=ASKED, timeout=SILENCE_S)

    assert outcome(simulator) == "client_gone"
    assert simulator.requests()[-1].status is None


@pytest.mark.parametrize("after", [0, 1, 5])
def test_a_stall_in_mid_stream_comes_after_so_many_deltas(stream, simulator, after):
    simulator.play(interrupted("stall", after))

    with pytest.raises(httpx.ReadTimeout):
        stream(timeout=SILENCE_S)

    assert count_deltas(stream.got) == after
    assert outcome(simulator) == "client_gone"


@pytest.mark.parametrize("after", [0, 1, 5])
def test_a_cut_leaves_the_stream_incomplete(stream, simulator, after):
    simulator.play(interrupted("cut", after))

    with pytest.raises(httpx.RemoteProtocolError):
        stream()

    assert count_deltas(stream.got) == after
    assert outcome(simulator) == "cut"


def test_an_error_event_ends_the_stream_in_order(client, simulator):
    simulator.play("error-mid-stream")

    text = client.post("/v1/messages", json=ASKED).text

    assert text.count("event: content_block_delta") == 5
    *_, last = text.removesuffix("\n\n").split("\n\n")
    assert last.startswith("event: error\n")
    assert '"error":{"type":"overloaded_error","message":"Overloaded"}' in last
    assert outcome(simulator) == "answered"


def test_an_interruption_beyond_the_last_delta_never_comes(client, simulator):
    simulator.play(interrupted("cut", 51))

    assert "message_stop" in client.post("/v1/messages", json=ASKED).text


def test_without_stream_an_error_event_becomes_an_http_error(ask, simulator):
    simulator.play("error-mid-stream")

    response = ask()

    assert response.status_code == 529
    assert response.json()["error"]["type"] == "overloaded_error"


def test_without_stream_a_cut_leaves_the_body_incomplete(ask, simulator):
    simulator.play("cut-mid-stream")

    with pytest.raises(httpx.RemoteProtocolError):
        ask()

    assert outcome(simulator) == "cut"


def test_without_stream_a_stall_is_silence(client, simulator):
    simulator.play("stall-mid-stream")

    with pytest.raises(httpx.ReadTimeout):
        client.post("/v1/messages", json={**ASKED, "stream": False}, timeout=SILENCE_S)

    assert outcome(simulator) == "client_gone"


@pytest.mark.parametrize(("text", "comes"), [("one", True), ("one two", False)])
def test_without_stream_an_answer_comes_when_a_stream_would_be_complete(client, simulator, text, comes):
    step = {"delay_ms": 60_000, "content": [{"type": "text", "text": text}]}
    simulator.play(parse_scenario("test", {"description": "For a test.", "steps": [step]}))
    asked = {**ASKED, "stream": False}
    if comes:
        assert client.post("/v1/messages", json=asked).json()["content"][0]["text"] == text
        return
    with pytest.raises(httpx.ReadTimeout):
        client.post("/v1/messages", json=asked, timeout=SILENCE_S)
    assert outcome(simulator) == "client_gone"


def test_a_client_that_leaves_in_mid_stream_is_noticed(client, simulator):
    simulator.play("slow")

    with client.stream("POST", "/v1/messages", json=ASKED) as response:
        next(response.iter_raw())

    assert outcome(simulator) == "client_gone"
    assert simulator.requests()[-1].deltas < 1800
