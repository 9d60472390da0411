"""The answers of `POST /v1/messages`, in the API's shape."""

import json

import pytest

from agent_workers.simulator import parse_scenario


def events(response):
    frames = response.content.decode("utf-8").removesuffix("\n\n").split("\n\n")
    lines = [frame.split("\n") for frame in frames]
    data = [json.loads(data.removeprefix("data: ")) for _, data in lines]
    assert [name.removeprefix("event: ") for name, _ in lines] == [event["type"] for event in data]
    return data


def deltas(found):
    return [event["delta"] for event in found if event["type"] == "content_block_delta"]


def play(simulator, *steps):
    simulator.play(parse_scenario("test", {"description": "For a test.", "steps": list(steps)}))


def test_a_stream_has_the_events_of_the_api_in_their_order(ask):
    response = ask(stream=True)

    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["request-id"]
    kinds = [event["type"] for event in events(response)]
    assert kinds[:3] == ["message_start", "content_block_start", "ping"]
    assert set(kinds[3:-3]) == {"content_block_delta"}
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]


def test_a_stream_begins_with_an_empty_message_and_ends_with_reason_and_usage(ask):
    first, *_, last, _ = events(ask(stream=True))

    message = first["message"]
    assert message["content"] == []
    assert message["stop_reason"] is None
    assert message["model"] == "claude-test"
    assert message["usage"]["input_tokens"] > 0
    assert last["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert last["usage"]["output_tokens"] > 0


def test_an_answer_without_stream_is_the_whole_message(ask):
    message = ask("Who are you?").json()

    assert (message["type"], message["role"], message["stop_reason"]) == ("message", "assistant", "end_turn")
    assert "simulator" in message["content"][0]["text"]
    assert message["content"][0]["text"].endswith("Who are you?")


def test_a_stream_and_a_whole_message_say_the_same(ask):
    streamed = deltas(events(ask("Again?", stream=True)))

    assert len(streamed) > 5
    assert "".join(delta["text"] for delta in streamed) == ask("Again?").json()["content"][0]["text"]


def test_reminders_that_the_cli_adds_are_not_quoted_as_the_prompt(ask):
    reminder = {"type": "text", "text": "<system-reminder>\nBe nice.\n</system-reminder>"}
    content = [reminder, {"type": "text", "text": "My own words."}]

    answer = ask(messages=[{"role": "user", "content": content}]).json()["content"][0]["text"]

    assert answer.endswith("You said: My own words.")


def test_two_messages_never_share_an_id(ask):
    assert ask().json()["id"] != ask().json()["id"]


def test_thinking_is_streamed_with_its_signature(ask, simulator):
    simulator.play("thinking")

    found = deltas(events(ask(stream=True)))

    kinds = [delta["type"] for delta in found]
    assert kinds[0] == "thinking_delta"
    assert kinds.count("signature_delta") == 1
    assert kinds[-1] == "text_delta"


def test_a_tool_call_is_streamed_in_pieces_of_json(ask, simulator):
    simulator.play("tool-loop")

    found = events(ask(stream=True))

    pieces = [delta["partial_json"] for delta in deltas(found) if delta["type"] == "input_json_delta"]
    assert len(pieces) > 2
    assert json.loads("".join(pieces))["command"] == "echo simulated"
    assert found[-2]["delta"]["stop_reason"] == "tool_use"


def test_parallel_tools_have_an_id_each(ask, simulator):
    simulator.play("parallel-tools")

    calls = [block for block in ask().json()["content"] if block["type"] == "tool_use"]

    assert len({call["id"] for call in calls}) == len(calls) == 3


def test_usage_and_stop_reason_can_be_set(ask, simulator):
    usage = {"input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 9}
    play(simulator, {"content": [{"type": "text"}], "stop_reason": "stop_sequence", "usage": usage})

    message = ask().json()

    assert message["stop_reason"] == "stop_sequence"
    assert usage.items() <= message["usage"].items()


def test_lone_surrogates_travel_as_escapes_and_other_text_as_utf8(ask, simulator):
    play(simulator, {"cut": 1, "content": [{"type": "text", "text": "é😀\u2028"}]})

    response = ask(stream=True)

    assert [delta["text"] for delta in deltas(events(response))] == ["é", "\ud83d", "\ude00", "\u2028"]
    assert rb'"\ud83d"' in response.content
    assert "é".encode() in response.content
    assert "\u2028".encode() in response.content


def test_many_deltas_leave_nothing_out(ask, simulator):
    simulator.play("many-deltas")

    found = deltas(events(ask(stream=True)))

    assert [int(delta["text"]) for delta in found] == list(range(1, 20001))


def test_the_huge_delta_is_one_of_a_mebibyte(ask, simulator):
    simulator.play("huge-delta")

    (delta,) = deltas(events(ask(stream=True)))

    assert len(delta["text"].encode()) == 1024 * 1024


@pytest.mark.parametrize(
    ("scenario", "status", "error", "words"),
    [
        ("bad-request-400", 400, "invalid_request_error", "refuses"),
        ("unauthorized-401", 401, "authentication_error", "x-api-key"),
        ("forbidden-403", 403, "permission_error", "permission"),
        ("not-found-404", 404, "not_found_error", "model"),
        ("too-large-413", 413, "request_too_large", "maximum size"),
        ("rate-limited-429", 429, "rate_limit_error", "rate limit"),
        ("server-error-500", 500, "api_error", "Internal"),
        ("overloaded-529", 529, "overloaded_error", "Overloaded"),
        ("context-overflow", 400, "invalid_request_error", "prompt is too long: 250000 tokens > 200000"),
        ("billing", 400, "invalid_request_error", "Your credit balance is too low"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_a_failure_has_status_type_and_message(ask, simulator, *, stream, scenario, status, error, words):
    simulator.play(scenario)

    response = ask(stream=stream)

    assert response.status_code == status
    assert response.json()["type"] == "error"
    assert response.json()["error"]["type"] == error
    assert words in response.json()["error"]["message"]


@pytest.mark.parametrize(("scenario", "seconds"), [("rate-limited-429", "1"), ("rate-limited-429-long", "3600")])
def test_a_rate_limit_says_when_to_try_again(ask, simulator, scenario, seconds):
    simulator.play(scenario)

    assert ask().headers["retry-after"] == seconds


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"messages": []}', b'{"messages": "hello"}'])
def test_a_body_that_is_no_request_is_refused(client, body):
    response = client.post("/v1/messages", content=body)

    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "message", [None, "hello", {}, {"role": "user"}, {"role": "user", "content": [None, {"type": "text"}]}]
)
def test_odd_messages_are_answered_all_the_same(ask, message):
    assert ask(messages=[message]).status_code == 200
