"""From the agent's messages to event bodies, message by message."""

from typing import Any

import pytest

from agent_workers.engine.base import Progress
from agent_workers.engine.claude.messages.translate import Translator
from agent_workers.errors import (
    AuthError,
    BillingError,
    CliCrashed,
    ContextOverflow,
    ModelNotFound,
    NetworkError,
    OutputSchemaError,
    OutputTooLarge,
    Overloaded,
    RateLimited,
    RequestRejected,
    ServerError,
    SessionNotFound,
    WorkerError,
)
from agent_workers.protocol.v1.events import Body, Delta, Discard, Done, Session, Thinking, ToolCall, ToolResult

Message = dict[str, Any]


def stream(kind: str, **fields: object) -> Message:
    return {"type": "stream_event", "event": {"type": kind, **fields}}


def streamed(message_id: str, *texts: str, finish: bool = True, kind: str = "text") -> list[Message]:
    delta = "text_delta" if kind == "text" else "thinking_delta"
    messages = [stream("message_start", message={"id": message_id, "usage": {"input_tokens": 7, "output_tokens": 1}})]
    messages += [stream("content_block_start", index=0, content_block={"type": kind})]
    messages += [stream("content_block_delta", index=0, delta={"type": delta, kind: text}) for text in texts]
    if finish:
        messages += [assistant(message_id, {"type": kind, kind: "".join(texts)})]
        messages += [stream("content_block_stop", index=0)]
        messages += [stream("message_delta", delta={}, usage={"output_tokens": 9}), stream("message_stop")]
    return messages


def assistant(message_id: str, *blocks: Message, **fields: object) -> Message:
    message = {"id": message_id, "model": "claude-x", "content": list(blocks)}
    return {"type": "assistant", "message": message, **fields}


def result(**fields: object) -> Message:
    usual = {"type": "result", "subtype": "success", "is_error": False, "session_id": "s", "num_turns": 1}
    return usual | {"stop_reason": "end_turn", "usage": {"input_tokens": 7, "output_tokens": 9}} | fields


def translate(*messages: Message, **options: object) -> list[Body]:
    translator = Translator(Progress(), **options)
    return [body for message in messages for body in translator.feed(message)]


def told(bodies: list[Body]) -> str:
    return "".join(body.text for body in bodies if isinstance(body, Delta))


def test_text_that_the_stream_told_is_not_told_again_by_the_finished_message() -> None:
    bodies = translate(*streamed("m1", "Hel", "lo"), result())
    assert [body.text for body in bodies if isinstance(body, Delta)] == ["Hel", "lo"]
    assert bodies[-1].text == "Hello"


def test_without_a_stream_the_finished_messages_are_told() -> None:
    bodies = translate(assistant("m1", {"type": "text", "text": "Hello"}), result())
    assert told(bodies) == "Hello" == bodies[-1].text


def test_an_answer_over_several_messages_is_told_whole_with_a_block_for_each() -> None:
    bodies = translate(*streamed("m1", "One. "), *streamed("m2", "Two."), result(stop_reason="max_tokens"))
    assert [body.block for body in bodies if isinstance(body, Delta)] == [1, 2]
    assert bodies[-1].text == "One. Two."
    assert bodies[-1].stop_reason == "max_tokens"


def test_text_of_a_message_that_broke_off_is_taken_back_when_the_next_one_begins() -> None:
    bodies = translate(*streamed("m1", "Wro", finish=False), *streamed("m2", "Right"), result())
    assert Discard(blocks=[1], reason="retry") in bodies
    assert bodies[-1].text == "Right"


def test_text_is_taken_back_as_soon_as_the_retry_is_announced() -> None:
    retry = {"type": "system", "subtype": "api_retry", "attempt": 1, "max_retries": 2, "retry_delay_ms": 512.4}
    bodies = translate(*streamed("m1", "Wro", finish=False), retry)
    assert [body.type for body in bodies] == ["delta", "discard", "retry"]
    assert bodies[-1].delay_ms == 512
    assert bodies[-1].code == "network"


def test_a_message_that_did_not_stream_replaces_one_that_broke_off() -> None:
    whole = assistant("m2", {"type": "text", "text": "Right"})
    bodies = translate(*streamed("m1", "Wro", finish=False), whole, result())
    assert [body.type for body in bodies] == ["delta", "discard", "delta", "done"]
    assert bodies[-1].text == "Right"


def test_thinking_is_told_only_where_asked_for() -> None:
    messages = [*streamed("m1", "hmm", kind="thinking"), *streamed("m2", "Yes"), result()]
    assert [body.type for body in translate(*messages)] == ["delta", "done"]
    shown = translate(*messages, thinking=True)
    assert [body for body in shown if isinstance(body, Thinking)] == [Thinking(text="hmm", block=1)]


def test_thinking_that_was_never_told_is_not_taken_back() -> None:
    bodies = translate(*streamed("m1", "hmm", kind="thinking", finish=False), *streamed("m2", "Yes"), result())
    assert [body.type for body in bodies] == ["delta", "done"]


def test_a_character_cut_in_half_between_two_pieces_arrives_whole() -> None:
    bodies = translate(*streamed("m1", "a\ud83d", "\ude00b"), result())
    assert [body.text for body in bodies if isinstance(body, Delta)] == ["a", "😀b"]


def test_half_a_character_at_the_end_becomes_a_replacement_character() -> None:
    bodies = translate(*streamed("m1", "a\ud83d"), result())
    assert told(bodies) == "a\ufffd" == bodies[-1].text


def test_what_was_said_before_a_tool_call_is_told_but_is_not_the_final_answer() -> None:
    call = assistant("m1", {"type": "tool_use", "id": "t1", "name": "Read", "input": {"path": "a"}})
    outcome = {"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": "t1", "content": "x"}]}}
    bodies = translate(*streamed("m1", "Let me look."), call, outcome, *streamed("m2", "Found."), result())
    assert told(bodies) == "Let me look.Found."
    assert bodies[-1].text == "Found."
    assert ToolCall(tool_use_id="t1", name="Read", input={"path": "a"}) in bodies
    assert ToolResult(tool_use_id="t1", status="ok", content="x") in bodies


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "text", "text": "a"}, {"type": "image", "source": {}}], "a\n[image]"),
        (None, ""),
        ("plain", "plain"),
    ],
)
def test_a_tool_result_is_text_whatever_its_shape(content: object, text: str) -> None:
    block = {"type": "tool_result", "tool_use_id": "t1", "content": content, "is_error": True}
    [body] = translate({"type": "user", "message": {"content": [block]}})
    assert body == ToolResult(tool_use_id="t1", status="error", content=text)


def test_text_that_the_agent_put_into_the_conversation_is_never_shown() -> None:
    injected = {"type": "user", "message": {"content": "Continue from where you left off."}}
    blocks = {"type": "user", "message": {"content": [{"type": "text", "text": "[system]"}]}}
    assert translate(injected, blocks) == []


def test_a_subagents_words_are_not_the_answer_but_its_tool_calls_are_seen() -> None:
    words = assistant("m1", {"type": "text", "text": "inner"}, parent_tool_use_id="t0")
    call = assistant("m2", {"type": "tool_use", "id": "t1", "name": "Read", "input": {}}, parent_tool_use_id="t0")
    inner = {
        **stream("content_block_delta", index=0, delta={"type": "text_delta", "text": "x"}),
        "parent_tool_use_id": "t0",
    }
    [body] = translate(words, inner, call)
    assert body == ToolCall(tool_use_id="t1", name="Read", input={}, parent_tool_use_id="t0")


def test_the_session_is_told_once() -> None:
    init = {"type": "system", "subtype": "init", "session_id": "s", "model": "m", "tools": ["Read", "StructuredOutput"]}
    bodies = translate(init | {"claude_code_version": "2.1.329"}, init, resumed=True)
    assert bodies == [Session(session_id="s", model="m", cli_version="2.1.329", tools=["Read"], resumed=True)]


@pytest.mark.parametrize("message", [{}, {"type": "new"}, {"type": "system", "subtype": "new"}, stream("new", x=1)])
def test_unknown_messages_are_ignored(message: Message) -> None:
    assert translate(message) == []


def test_progress_follows_the_stream() -> None:
    progress = Progress()
    translator = Translator(progress)
    for message in [{"type": "system", "subtype": "init", "session_id": "s"}, *streamed("m1", "Hi")]:
        list(translator.feed(message))
    assert progress.session_id == "s"
    assert (progress.usage.input_tokens, progress.usage.output_tokens) == (7, 9)


def test_a_ping_of_the_api_is_no_progress() -> None:
    progress = Progress()
    progress.at = 0.0
    list(Translator(progress).feed(stream("ping")))
    assert progress.at == 0.0
    list(Translator(progress).feed(stream("message_start", message={"id": "m"})))
    assert progress.at > 0.0


@pytest.mark.parametrize(
    ("subtype", "stop_reason"), [("error_max_turns", "max_turns"), ("error_max_budget_usd", "max_budget")]
)
def test_a_limit_that_the_request_set_is_a_stop_reason_not_a_failure(subtype: str, stop_reason: str) -> None:
    done = translate(*streamed("m1", "So far"), result(subtype=subtype, is_error=True))[-1]
    assert isinstance(done, Done)
    assert (done.stop_reason, done.text) == (stop_reason, "So far")


def failure(*messages: Message, **options: object) -> WorkerError:
    with pytest.raises(WorkerError) as raised:
        translate(*messages, **options)
    return raised.value


@pytest.mark.parametrize(
    ("status", "api_type", "words", "expected"),
    [
        (400, "invalid_request_error", "API Error: 400 bad", RequestRejected),
        (400, "invalid_request_error", "prompt is too long: 250000 tokens > 200000 maximum", ContextOverflow),
        (400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API", BillingError),
        (401, "authentication_error", "invalid x-api-key", AuthError),
        (403, "permission_error", "forbidden", AuthError),
        (404, "not_found_error", "model: nope", ModelNotFound),
        (413, "request_too_large", "Request too large", ContextOverflow),
        (429, "rate_limit_error", "rate limited", RateLimited),
        (500, "api_error", "Internal server error", ServerError),
        (503, "api_error", "unavailable", ServerError),
        (529, "overloaded_error", "Overloaded", Overloaded),
        (None, None, "API Error: Connection error.", NetworkError),
        (None, None, "API Error: Request timed out", NetworkError),
        (None, None, "Invalid API key · Please run /login", AuthError),
        (None, None, "something new", ServerError),
    ],
)
def test_success_with_is_error_is_a_failure_of_the_api(
    status: int | None, api_type: str | None, words: str, expected: type
) -> None:
    error = failure(result(is_error=True, api_error_status=status, api_error_type=api_type, result=words))
    assert type(error) is expected
    assert error.http_status == status
    assert words not in error.message


def test_the_agents_words_for_an_api_failure_are_not_shown_as_the_models() -> None:
    apology = assistant("m1", {"type": "text", "text": "API Error: 401"}, error="authentication_failed")
    apology["message"]["model"] = "<synthetic>"
    assert translate(apology) == []
    assert isinstance(failure(apology, result(is_error=True)), AuthError)


def test_an_error_during_execution_without_an_api_status_is_the_clis() -> None:
    assert isinstance(failure(result(subtype="error_during_execution", is_error=True)), CliCrashed)
    unknown = result(subtype="error_during_execution", is_error=True, errors=["No conversation found with session ID"])
    assert isinstance(failure(unknown), SessionNotFound)


SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def test_structured_output_is_handed_over_when_it_satisfies_the_schema() -> None:
    [done] = translate(result(structured_output={"n": 1}), output_schema=SCHEMA)
    assert done.output == {"n": 1}


@pytest.mark.parametrize("fields", [{}, {"structured_output": {"n": "x"}}])
def test_missing_or_wrong_structured_output_is_an_error(fields: dict) -> None:
    assert isinstance(failure(result(**fields), output_schema=SCHEMA), OutputSchemaError)


def test_structured_output_that_the_agent_gave_up_on_is_an_error() -> None:
    gave_up = result(subtype="error_max_structured_output_retries", is_error=True)
    assert isinstance(failure(gave_up, output_schema=SCHEMA), OutputSchemaError)


def test_structured_output_larger_than_a_line_is_an_error_not_a_cut() -> None:
    large = {"n": 1, "s": "x" * 200_000}
    assert isinstance(failure(result(structured_output=large), output_schema=SCHEMA), OutputTooLarge)


def test_calls_of_the_structured_output_tool_are_not_shown() -> None:
    call = assistant("m1", {"type": "tool_use", "id": "t1", "name": "StructuredOutput", "input": {"n": 1}})
    answer = {"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": "t1", "content": "ok"}]}}
    assert translate(call, answer) == []


def test_text_that_a_block_begins_with_is_told() -> None:
    start = stream("message_start", message={"id": "m1"})
    opened = stream("content_block_start", index=0, content_block={"type": "text", "text": "Hel"})
    piece = stream("content_block_delta", index=0, delta={"type": "text_delta", "text": "lo"})
    assert told(translate(start, opened, piece, result())) == "Hello"


@pytest.mark.parametrize(
    "oddity",
    [
        {"num_turns": None},
        {"session_id": None},
        {"permission_denials": [{"tool_use_id": "t"}]},
        {"modelUsage": {"m": {"inputTokens": 1.0, "costUSD": "x"}}},
        {"usage": {"input_tokens": -1}},
        {"total_cost_usd": "x"},
        {"model_usage_since_last_result": {"m": {"inputTokens": "x", "costUSD": None}, "n": 5}},
        {"model_usage_since_last_result": []},
    ],
    ids=lambda oddity: next(iter(oddity)),
)
def test_an_answer_is_not_lost_for_an_odd_figure_beside_it(oddity: Message) -> None:
    done = translate(*streamed("m1", "Hello"), result(**oddity))[-1]
    assert (done.type, done.text) == ("done", "Hello")


TOTALS = {"total_cost_usd": 3.0, "modelUsage": {"m": {"inputTokens": 300, "costUSD": 3.0}}}
OWN = {"model_usage_since_last_result": {"m": {"inputTokens": 100, "costUSD": 1.0}, "n": {"costUSD": 0.5}}}


@pytest.mark.parametrize("resumed", [False, True])
def test_what_a_run_has_cost_is_what_the_agent_says_of_it_alone(resumed: bool) -> None:
    [done] = translate(result(**TOTALS, **OWN), resumed=resumed)
    assert (done.cost_usd, done.models["m"].input_tokens, done.models["n"].cost_usd) == (1.5, 100, 0.5)


def test_an_agent_that_knows_only_the_sessions_total_leaves_a_resumed_runs_cost_unknown() -> None:
    [fresh], [resumed] = translate(result(**TOTALS)), translate(result(**TOTALS), resumed=True)
    assert (fresh.cost_usd, fresh.models["m"].cost_usd) == (3.0, 3.0)
    assert (resumed.cost_usd, resumed.models) == (None, None)


def test_a_price_that_one_model_lacks_is_unknown_in_all() -> None:
    own = {"model_usage_since_last_result": {"m": {"costUSD": 1.0}, "n": {"inputTokens": 5}}}
    [done] = translate(result(**own))
    assert (done.cost_usd, done.models["m"].cost_usd) == (None, 1.0)


def test_tokens_that_the_agents_sum_leaves_out_are_those_of_its_calls() -> None:
    none = {"usage": {"input_tokens": 0, "output_tokens": 0}, "subtype": "error_max_budget_usd", "is_error": True}
    assert translate(*streamed("m1", "So far"), result(**none))[-1].usage.output_tokens == 9
    assert translate(result(**none, **OWN))[-1].usage.input_tokens == 100


@pytest.mark.parametrize("pause", ["pause_turn", "compaction"])
def test_half_an_answer_is_not_a_whole_one(pause: str) -> None:
    paused = failure(*streamed("m1", "Let me se"), result(stop_reason=pause))
    assert isinstance(paused, ServerError)
    assert paused.retryable


@pytest.mark.parametrize(
    "end", [{"subtype": "error_max_turns"}, {"stop_reason": "refusal"}, {"api_error": "max_output_tokens"}]
)
def test_a_run_that_was_to_give_structured_output_never_ends_well_without_it(end: Message) -> None:
    assert isinstance(failure(result(**{"is_error": True} | end), output_schema=SCHEMA), OutputSchemaError)


def test_an_answer_that_used_all_its_tokens_on_thinking_is_no_failure_of_the_api() -> None:
    [done] = translate(result(is_error=True, api_error="max_output_tokens"))
    assert (done.stop_reason, done.text) == ("max_tokens", "")


def test_a_status_that_is_none_is_left_out() -> None:
    assert failure(result(is_error=True, result="API Error: 999 strange")).http_status is None


UNKNOWN = ["server_tool_use", "web_search_tool_result", "mcp_tool_use", "mcp_tool_result", "a_block_of_tomorrow"]


@pytest.mark.parametrize("kind", UNKNOWN)
def test_a_block_of_an_unknown_kind_is_passed_over_and_told_of_once(kind: str) -> None:
    block = {"type": kind, "id": "x1", "name": None, "input": {}}
    blocks = [{"type": "text", "text": "Before. "}, block, block, {"type": "text", "text": "After."}]
    bodies = translate(assistant("m1", *blocks), result())
    [notice] = [body for body in bodies if body.type == "notice"]
    assert (notice.code, kind in notice.message) == ("unknown_block", True)
    assert told(bodies) == "Before. After." == bodies[-1].text


@pytest.mark.parametrize("kind", [None, 5, {}, "\x1b[2J", "x" * 1000])
def test_a_block_whose_kind_is_no_name_is_not_told_by_it(kind: object) -> None:
    [notice, _] = translate(assistant("m1", {"type": kind}), result())
    assert notice.message == "A part of the answer was passed over: a block (of no kind) that is not known here."


@pytest.mark.parametrize("flaw", [{"name": None}, {"name": 5}, {"id": None}])
def test_a_crash_over_a_call_that_nobody_can_read_is_the_apis_failure(flaw: Message) -> None:
    call = {"type": "tool_use", "id": "t1", "name": "Read", "input": {}} | flaw
    outcome = {"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": call["id"]}]}}
    crash = result(subtype="error_during_execution", is_error=True, errors=["null is not an object"])
    error = failure(assistant("m1", call), outcome, crash)
    assert (error.code, error.retryable) == ("server_error", False)
    assert isinstance(failure(crash), CliCrashed)
    assert [body.type for body in translate(assistant("m1", call), outcome, result())] == ["notice", "done"]
