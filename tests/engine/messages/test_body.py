"""What the API is asked, and what of it the API may keep in its cache."""

from typing import Any

import pytest

from agent_workers.engine.messages.body import Frame, prompt_of
from agent_workers.engine.messages.models import load_models
from agent_workers.protocol.v1.request import Request

MODELS = load_models({})
OPUS, OLD = "claude-opus-5-5", "claude-haiku-4-5"
MARK = {"type": "ephemeral"}
SCHEMA = {
    "type": "object",
    "properties": {"score": {"type": "number"}},
    "required": ["score"],
    "additionalProperties": False,
}
TOOL = {"name": "find", "description": "Finds.", "input_schema": {"type": "object"}}
SAID = [
    {"role": "user", "content": [{"type": "text", "text": "My name is Ada."}]},
    {"role": "assistant", "content": [{"type": "text", "text": "Hello."}]},
    {"role": "user", "content": [{"type": "text", "text": "Look:"}, {"type": "text", "text": "Who am I?"}]},
]


def body(
    model: str = OPUS,
    *,
    most_tokens: int | None = None,
    cached: bool = True,
    said: list[dict[str, Any]] = SAID,
    **fields: Any,
) -> dict[str, Any]:
    frame = Frame(Request.model_validate({"prompt": "x", **fields}), "You are helpful.")
    return frame.body(said, model, MODELS.of(model), most_tokens=most_tokens, cached=cached)


def marks(asked: dict[str, Any]) -> list[str]:
    """The texts up to which the API may keep what it is asked."""
    blocks = [*asked.get("system", ()), *(block for message in asked["messages"] for block in message["content"])]
    return [block["text"] for block in blocks if block.get("cache_control") == MARK]


def test_a_plain_request_asks_for_no_more_than_it_says() -> None:
    asked = body()
    assert asked.keys() == {"model", "max_tokens", "stream", "system", "messages"}
    assert (asked["model"], asked["stream"]) == (OPUS, True)
    assert asked["max_tokens"] == 128_000
    assert asked["system"][0]["text"] == "You are helpful."


def test_instructions_and_what_was_said_may_be_kept_where_they_are_likely_to_come_again() -> None:
    assert marks(body()) == ["You are helpful.", "Who am I?"]
    assert marks(body(cached=False)) == ["You are helpful."]
    assert marks(body(system_prompt="Be brief.")) == ["Be brief.", "Who am I?"]


def test_a_mark_is_no_part_of_the_conversation() -> None:
    before = [{**message, "content": [*message["content"]]} for message in SAID]
    body()
    assert before == SAID
    assert marks({"messages": SAID}) == []


def test_a_result_of_a_tool_bears_the_mark_too() -> None:
    said = [*SAID, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "Berlin"}]}]
    assert body(said=said)["messages"][-1]["content"][0]["cache_control"] == MARK


@pytest.mark.parametrize(
    ("asked", "most", "expected"),
    [(None, None, 128_000), (500, None, 500), (500, 300, 300), (None, 300, 300), (300, 500, 300)],
)
def test_the_answer_is_as_long_as_the_request_the_model_and_the_budget_let_it_be(
    asked: int | None, most: int | None, expected: int
) -> None:
    fields = {"max_tokens": asked} if asked else {}
    assert body(most_tokens=most, **fields)["max_tokens"] == expected


def test_a_model_of_which_nothing_more_than_its_price_is_known_gets_the_usual() -> None:
    priced = MODELS.of(OPUS)._replace(max_output_tokens=None, thinking=None)  # type: ignore[union-attr]
    for known in (None, priced):
        frame = Frame(Request.model_validate({"prompt": "x", "thinking": True}), "You are helpful.")
        asked = frame.body(SAID, "a-model-of-our-own", known, most_tokens=None, cached=True)
        assert (asked["max_tokens"], asked["thinking"]["type"]) == (32_000, "adaptive")


def test_thinking_is_asked_for_as_the_model_takes_it() -> None:
    assert "thinking" not in body()
    assert body(thinking=True)["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert body("a-model-of-our-own", thinking=True)["thinking"]["type"] == "adaptive"
    assert body(OLD, thinking=True)["thinking"] == {"type": "enabled", "budget_tokens": 16_000}
    assert body(OLD, thinking=True, max_tokens=4000)["thinking"]["budget_tokens"] == 2000
    assert "thinking" not in body(OLD, thinking=True, max_tokens=2000)  # too little to think at all


@pytest.mark.parametrize(
    ("last", "thinks"),
    [
        ([{"type": "tool_use"}], False),
        ([{"type": "text"}, {"type": "tool_use"}], False),
        ([{"type": "thinking"}, {"type": "tool_use"}], True),
        ([{"type": "redacted_thinking"}, {"type": "tool_use"}], True),
        ([{"type": "text"}], True),
    ],
)
def test_nothing_is_thought_behind_calls_whose_own_thoughts_are_gone(last: list[dict[str, Any]], thinks: bool) -> None:
    """The API refuses it where thinking has a budget: its own words are that such a turn must begin with a thought."""
    result = {"type": "tool_result", "tool_use_id": "1", "content": "x"}
    said = [SAID[0], {"role": "assistant", "content": last}, {"role": "user", "content": [result]}]
    frame = Frame(Request.model_validate({"prompt": "x", "thinking": True}), "You are helpful.")
    for model, is_asked in ((OLD, thinks), (OPUS, True)):
        asked = frame.body(said, model, MODELS.of(model), most_tokens=None, cached=False)
        assert ("thinking" in asked) is is_asked


def test_a_schema_is_the_formats_and_tools_bear_the_names_that_an_agent_knows() -> None:
    asked = body(output_schema=SCHEMA, app_tools=[TOOL])
    assert asked["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}}
    assert [tool["name"] for tool in asked["tools"]] == ["mcp__app__find"]


def test_a_schema_that_the_api_cannot_hold_a_model_to_stands_in_its_instructions() -> None:
    asked = body(output_schema={"type": "object", "additionalProperties": {"type": "number"}})
    assert "output_config" not in asked
    assert asked["system"][0]["text"].startswith("You are helpful.\n\nAnswer with one JSON object")


def test_a_prompt_is_text_or_the_blocks_that_it_says() -> None:
    assert prompt_of(Request.model_validate({"prompt": "Hi"})) == [{"type": "text", "text": "Hi"}]
    image = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    blocks = [{"type": "text", "text": "Look:"}, image]
    assert prompt_of(Request.model_validate({"prompt": blocks})) == blocks


def test_a_blank_text_beside_others_is_not_sent() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    blocks = [{"type": "text", "text": " \n"}, image, {"type": "text", "text": "Hi"}, {"type": "text", "text": "\t"}]
    assert prompt_of(Request.model_validate({"prompt": blocks})) == [image, blocks[2]]
