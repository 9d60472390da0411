"""What a run tells of the model's answer."""

import json
from typing import Any

import pytest

from agent_workers.simulator import Scenario, Simulator
from agent_workers.simulator.scenario import Message, Raw, Text, ToolUse
from tests.e2e.beginning import Begin
from tests.e2e.desk import Desk
from tests.e2e.engines import BOTH, differs
from tests.e2e.stream import answer
from tests.e2e.worker import Ended, Home

pytestmark = [pytest.mark.usefixtures("loaded"), BOTH]
SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "string"}, "confidence": {"type": "number"}},
    "required": ["answer"],
    "additionalProperties": False,
}


@pytest.mark.parametrize("partial", [True, False], ids=["streamed", "block by block"])
def test_thinking_is_told_only_where_it_was_asked_for(home: Home, simulator: Simulator, partial: bool) -> None:
    simulator.play("thinking")
    shown = home.run({"prompt": "x", "thinking": True, "stream": {"partial": partial}})
    hidden = home.run({"prompt": "x", "stream": {"partial": partial}})
    thought = "".join(event["text"] for event in shown.of("thinking"))
    assert thought == "The user wrote a prompt. I am simulated, so I only pretend to think about it."
    assert hidden.of("thinking") == []
    assert shown.last["text"] == hidden.last["text"]
    assert {event["block"] for event in shown.of("thinking")} < {event["block"] for event in shown.of("delta")} | {1}
    assert "pretend" not in hidden.output.decode()


def test_a_long_text_comes_piece_by_piece(begin: Begin) -> None:
    ended, _ = begin("fields", with_fields)
    assert len(ended.of("delta")) > 300
    assert len({event["ts"] for event in ended.of("delta")}) > 100
    assert "# The life of a lighthouse" in ended.last["text"]
    assert answer(ended.events) == ended.last["text"]


@differs("an answer cut at `max_tokens`")
def test_without_partial_text_each_block_comes_at_once(home: Home, simulator: Simulator) -> None:
    simulator.play("max-tokens-then-ok")
    ended = home.run({"prompt": "x", "stream": {"partial": False}})
    assert [event["text"] for event in ended.of("delta")] == [
        "This is the first part of a text that ",
        "comes to its end in the second.",
    ]


def test_twenty_thousand_deltas_arrive_in_order_and_whole(home: Home, simulator: Simulator) -> None:
    simulator.play("many-deltas")
    ended = home.run({"prompt": "x"})
    assert ended.last["text"].split() == [str(number) for number in range(1, 20001)]
    assert answer(ended.events) == ended.last["text"]


LARGEST = {"emoji": "😀" * 4000}


def with_a_huge_delta(desk: Desk) -> Ended:
    """A run with metadata at its largest, whose answer is one delta that no line holds."""
    desk.simulator.play("huge-delta")
    return desk.home.run({"prompt": "x", "stream": {"partial": True}, "metadata": LARGEST})


def assert_split_and_cut(ended: Ended) -> None:
    text = "😀🦊𝒜𠀋" * 65536
    assert len(ended.of("delta")) > 1
    assert answer(ended.events) == text
    done = ended.last
    assert text.startswith(done["text"])
    assert len(done["text"].encode()) + done["truncated_bytes"] == len(text.encode())
    assert len(done["text"]) > 1000
    assert done["usage"]["output_tokens"] > 0


def test_a_text_too_large_for_a_line_is_split_over_deltas_and_cut_in_the_terminal_event(begin: Begin) -> None:
    assert_split_and_cut(begin("huge", with_a_huge_delta))


def test_a_block_too_large_for_a_line_is_split_over_deltas_and_cut_in_the_terminal_event(
    home: Home, simulator: Simulator
) -> None:
    simulator.play("huge-delta")
    assert_split_and_cut(home.run({"prompt": "x", "stream": {"partial": False}}))


@differs("an answer cut at `max_tokens`")
def test_an_answer_that_needs_several_calls_is_one_answer(home: Home, simulator: Simulator) -> None:
    simulator.play("max-tokens-then-ok")
    ended = home.run({"prompt": "x"})
    assert ended.last["stop_reason"] == "end_turn"
    assert ended.last["text"] == "This is the first part of a text that comes to its end in the second."
    assert ended.last["turns"] == 2


@differs("an answer cut at `max_tokens`")
def test_an_answer_that_never_ends_stops_with_max_tokens_and_all_of_its_text(home: Home, simulator: Simulator) -> None:
    simulator.play("max-tokens")
    ended = home.run({"prompt": "x"})
    assert ended.ending == ("done", 0)
    assert ended.last["stop_reason"] == "max_tokens"
    assert ended.last["text"].startswith("This is the first part of a text that is too long, and goes on")
    assert ended.last["text"].endswith("which still does not reach the")


def test_a_refusal_is_an_answer_of_the_model_and_no_failure(home: Home, simulator: Simulator) -> None:
    simulator.play("refusal")
    ended = home.run({"prompt": "x"})
    assert ended.ending == ("done", 0)
    assert ended.last["stop_reason"] == "refusal"
    assert ended.last["text"] == "I am afraid that I"  # once, though the CLI asks the model twice


@pytest.mark.parametrize(
    ("scenario", "limits"), [("refusal", {}), ("max-tokens", {}), ("structured-output-invalid", {"max_turns": 2})]
)
def test_a_run_that_was_to_give_structured_output_is_done_only_with_it(
    home: Home, simulator: Simulator, scenario: str, limits: dict[str, Any]
) -> None:
    simulator.play(scenario)
    assert home.run({"prompt": "x", "output_schema": SCHEMA, **limits}).ending == ("output_schema", 1)


@pytest.mark.parametrize("schema", [None, SCHEMA], ids=["text", "structured"])
def test_an_answer_that_pauses_and_is_not_taken_up_again_is_a_failure_worth_a_retry(
    home: Home, simulator: Simulator, schema: dict[str, Any] | None
) -> None:
    paused = Message(content=(Text(text="Let me look that up. "),), stop_reason="pause_turn")
    simulator.play(Scenario(name="own", description="", steps=(paused,)))
    ended = home.run({"prompt": "x", **({"output_schema": schema} if schema else {})})
    assert ended.ending == ("server_error", 75)
    assert ended.last["session_id"] == ended.of("session")[0]["session_id"]


@differs("a refusal")
def test_text_before_a_refusal_that_was_not_the_last_word_is_discarded(home: Home, simulator: Simulator) -> None:
    refusal = Message(content=(Text(text="I will not"),), stop_reason="refusal")
    simulator.play(Scenario(name="own", description="", steps=(refusal, Message(content=(Text(text="I will."),)))))
    ended = home.run({"prompt": "x"})
    assert ended.last["stop_reason"] == "end_turn"
    assert ended.last["text"] == "I will."


def test_structured_output_satisfies_the_schema(home: Home, simulator: Simulator) -> None:
    simulator.play("structured-output")
    ended = home.run({"prompt": "x", "output_schema": SCHEMA})
    assert ended.ending == ("done", 0)
    assert ended.last["output"] == {"answer": "forty-two", "confidence": 0.9}
    assert ended.of("tool_call") == []  # how the CLI brings it about is not the consumer's business
    assert "StructuredOutput" not in ended.output.decode()


@pytest.mark.parametrize("scenario", ["structured-output-invalid", "structured-output-ignored"])
def test_output_that_does_not_satisfy_the_schema_is_an_error(home: Home, simulator: Simulator, scenario: str) -> None:
    simulator.play(scenario)
    ended = home.run({"prompt": "x", "output_schema": SCHEMA, "metadata": {"order": 4711}})
    assert ended.ending == ("output_schema", 1)
    assert ended.last["retryable"] is False
    assert ended.last["metadata"] == {"order": 4711}
    assert ended.last["cost_usd"] > 0
    calls = simulator.requests("/v1/messages")
    assert len(calls) > 1
    assert ended.last["usage"]["input_tokens"] > 500  # of all the calls; one of them takes less than 400


def test_output_too_large_for_an_event_is_an_error_and_is_not_cut(home: Home, simulator: Simulator) -> None:
    call = ToolUse(name="StructuredOutput", input={"answer": "x" * 132_000})
    simulator.play(Scenario(name="own", description="", steps=(Message(content=(call,), cut="whole"),)))
    ended = home.run({"prompt": "x", "output_schema": SCHEMA})
    assert ended.ending == ("output_too_large", 1)


def test_a_schema_too_large_for_the_command_line_is_refused(home: Home, simulator: Simulator) -> None:
    ended = home.run({"prompt": "x", "output_schema": {**SCHEMA, "description": "x" * 200_000}})
    assert ended.ending == ("invalid_request", 2)
    assert ended.last["details"][0]["pointer"] == "/output_schema"
    assert simulator.requests() == []


def test_max_turns_ends_the_run_with_what_was_said(home: Home, simulator: Simulator) -> None:
    simulator.play("tool-loop")
    ended = home.run({"prompt": "x", "max_turns": 1})
    assert ended.ending == ("done", 0)
    assert ended.last["stop_reason"] == "max_turns"


@differs("`limits.max_budget_usd`")
def test_max_budget_ends_the_run_with_what_was_said(home: Home, simulator: Simulator) -> None:
    simulator.play("max-tokens-then-ok")
    ended = home.run({"prompt": "x", "limits": {"max_budget_usd": 0.0001}})
    assert ended.ending == ("done", 0)
    assert ended.last["stop_reason"] == "max_budget"
    assert ended.last["cost_usd"] > 0.0001


METADATA = {"order": 4711, "who": "Zoë 😀", "deep": [{"a": [1.5, None, True]}], "": ""}


ABOUT = {
    "subject": {"type": "deal", "id": "deal-of-the-run"},
    "user": "user-of-the-run",
    "goal": "The goal of the run.",
    "metadata": METADATA | {"mark": "metadata-of-the-run"},
}


ATTEMPT = {"attempt": 3, "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}


def with_fields(desk: Desk) -> tuple[Ended, list[Any]]:
    """A run whose request has fields of several kinds, whose answer is long, and what the API was asked."""
    desk.simulator.play("long-text")
    asks = {"model": "claude-sonnet-5", "system_prompt": "You are a lighthouse. 😀", **ABOUT, **ATTEMPT}
    ended = desk.home.run({"prompt": "x", **asks})
    return ended, [(record.path, record.body) for record in desk.simulator.requests()]


def test_what_a_run_is_about_comes_back_and_never_reaches_the_model(begin: Begin) -> None:
    ended, asked = begin("fields", with_fields)
    assert ended.events[0].items() >= ABOUT.items()
    assert ended.last.items() >= ABOUT.items()
    assert "of-the-run" in json.dumps(ended.last)
    assert [mark for mark in ("of-the-run", "goal of the run") if mark in json.dumps(asked)] == []


def test_which_attempt_it_is_and_its_trace_are_told_at_the_start_alone_and_never_to_the_model(begin: Begin) -> None:
    ended, asked = begin("fields", with_fields)
    assert ended.events[0].items() >= ATTEMPT.items()
    assert [event["type"] for event in ended.events if ATTEMPT.keys() & event.keys()] == ["start"]
    assert ATTEMPT["traceparent"] not in json.dumps(asked)
    assert [event["seq"] for event in ended.events] == list(range(1, len(ended.events) + 1))


def test_the_first_attempt_says_nothing_of_it(home: Home, simulator: Simulator) -> None:
    simulator.play("hello")
    assert "attempt" not in home.run({"prompt": "x", "attempt": 1}).events[0]


def test_metadata_at_its_largest_still_fits_every_line(begin: Begin) -> None:
    ended = begin("huge", with_a_huge_delta)
    assert ended.last["metadata"] == ended.events[0]["metadata"] == LARGEST


def test_model_and_system_prompt_reach_the_api(begin: Begin) -> None:
    ended, asked = begin("fields", with_fields)
    (body,) = [body for path, body in asked if path == "/v1/messages"]
    assert body["model"] == "claude-sonnet-5"
    assert ended.of("session")[0]["model"] == "claude-sonnet-5"
    assert "You are a lighthouse. 😀" in json.dumps(body["system"], ensure_ascii=False)
    assert "tools" not in body or body["tools"] == []


@pytest.mark.parametrize("partial", [True, False])
def test_parts_of_an_answer_that_are_not_known_are_passed_over(home: Home, simulator: Simulator, partial: bool) -> None:
    simulator.play("unknown-block")
    ended = home.run({"prompt": "x", "stream": {"partial": partial}})
    assert ended.ending == ("done", 0)
    assert ended.last["text"] == "Before. After."
    assert {notice["code"] for notice in ended.of("notice")} == {"unknown_block"}
    assert len(ended.of("notice")) == 3


HOLOGRAM = Raw(block={"type": "hologram", "data": 1})
SEARCH = Raw(block={"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}})


def play(simulator: Simulator, *contents: tuple[Text | ToolUse | Raw, ...], stop_reason: str = "") -> None:
    steps = tuple(Message(content=content, stop_reason=stop_reason) for content in contents)
    simulator.play(Scenario(name="own", description="A test's.", steps=steps))


@pytest.mark.parametrize("partial", [True, False], ids=["streamed", "block by block"])
@pytest.mark.parametrize("last", [HOLOGRAM, SEARCH], ids=["of no known kind", "of a server's tool"])
def test_an_answer_may_end_with_a_block_that_is_passed_over(
    home: Home, simulator: Simulator, last: Raw, partial: bool
) -> None:
    play(simulator, (Text(text="All there is to say."), last))
    ended = home.run({"prompt": "x", "stream": {"partial": partial}})
    assert ended.ending == ("done", 0)
    assert (ended.last["text"], ended.last["stop_reason"]) == ("All there is to say.", "end_turn")
    assert [notice["code"] for notice in ended.of("notice")] == ["unknown_block"]


def test_an_answer_of_nothing_that_is_known_is_the_apis_failure_and_not_tried_again(
    home: Home, simulator: Simulator
) -> None:
    play(simulator, (HOLOGRAM,))
    ended = home.run({"prompt": "x"})
    assert ended.ending == ("server_error", 1)
    assert "not known here" in ended.stderr


def test_a_pause_in_a_servers_tool_is_told_as_a_pause(home: Home, simulator: Simulator) -> None:
    play(simulator, (Text(text="Let me search."), SEARCH), stop_reason="pause_turn")
    ended = home.run({"prompt": "x"})
    assert ended.ending == ("server_error", 75)
    assert "paused" in ended.last["message"]


@pytest.mark.parametrize("given", ["ls", ["ls"], 5])
def test_a_call_whose_input_is_no_object_is_passed_over_with_its_result(
    home: Home, simulator: Simulator, given: object
) -> None:
    call = Raw(block={"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": given})
    play(simulator, (call,), (Text(text="Second."),))
    ended = home.run({"prompt": "x", "stream": {"partial": False}})
    assert ended.ending == ("done", 0)
    assert ended.of("tool_call") == ended.of("tool_result") == []
    assert [notice["code"] for notice in ended.of("notice")] == ["unknown_block"]


def test_a_call_without_a_name_is_told_by_the_name_that_the_cli_gives_it_and_has_a_result(
    home: Home, simulator: Simulator
) -> None:
    call = Raw(block={"type": "tool_use", "id": "toolu_1", "name": None, "input": {}})
    steps = (Message(content=(call,)), Message(content=(Text(text="Second."),)))
    simulator.play(Scenario(name="own", description="", steps=steps))
    ended = home.run({"prompt": "x"})
    assert ended.ending == ("done", 0)
    assert [call["tool_use_id"] for call in ended.of("tool_call")] == ["toolu_1"]
    assert [(result["tool_use_id"], result["status"]) for result in ended.of("tool_result")] == [("toolu_1", "error")]
