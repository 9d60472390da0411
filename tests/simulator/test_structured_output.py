"""Structured output: a call of the CLI's tool, or a text for a client that asks with a schema of the answer."""

import json

import pytest

from agent_workers.simulator import parse_scenario
from agent_workers.simulator.schema_example import accepts

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["city", "people"],
    "additionalProperties": False,
}
LENIENT = {"type": "object", "properties": {"answer": {"type": "string"}}}


def tools(schema):
    return [{"name": "Other", "input_schema": {}}, {"name": "StructuredOutput", "input_schema": schema}]


@pytest.fixture
def ask_plainly(client):
    """Asks as a client that has no session of the CLI; keyword arguments go into the body."""

    def ask_plainly(schema, prompt="Fill it in.", **body):
        asked = {"format": {"type": "json_schema", "schema": schema}}
        given = {"messages": [{"role": "user", "content": prompt}], "output_config": asked, **body}
        return client.post("/v1/messages", json=given)

    return ask_plainly


def output(response):
    block = only_block(response)
    assert block["type"] == "text"
    return json.loads(block["text"])


def only_block(response):
    (block,) = response.json()["content"]
    return block


def test_the_scenarios_own_value_is_given_where_the_schema_accepts_it(ask, simulator):
    simulator.play("structured-output")

    call = only_block(ask(tools=tools(LENIENT)))

    assert call["name"] == "StructuredOutput"
    assert call["input"] == {"answer": "forty-two", "confidence": 0.9}


def test_an_example_of_the_schema_is_given_where_it_does_not(ask, simulator):
    simulator.play("structured-output")

    assert accepts(SCHEMA, only_block(ask(tools=tools(SCHEMA)))["input"])


def test_an_invalid_value_is_given_again_and_again(ask, simulator):
    simulator.play("structured-output-invalid")

    for _ in range(3):
        assert not accepts(LENIENT, only_block(ask(tools=tools(LENIENT)))["input"])


def test_a_request_without_the_tool_gets_a_text_that_says_so(ask, simulator):
    simulator.play("structured-output-invalid")

    block = only_block(ask())

    assert block == {"type": "text", "text": "The request offers no tool StructuredOutput."}


def test_ignored_structured_output_is_text_only(ask, simulator):
    simulator.play("structured-output-ignored")

    assert only_block(ask(tools=tools(SCHEMA)))["type"] == "text"


def test_a_plain_client_gets_the_value_as_text(ask_plainly, simulator):
    simulator.play("structured-output")

    response = ask_plainly(LENIENT)

    assert output(response) == {"answer": "forty-two", "confidence": 0.9}
    assert response.json()["stop_reason"] == "end_turn"
    assert simulator.requests()[-1].scenario == "structured-output"


def test_a_plain_client_gets_an_example_of_a_schema_that_refuses_the_value(ask_plainly, simulator):
    simulator.play("structured-output")

    assert accepts(SCHEMA, output(ask_plainly(SCHEMA)))


def test_a_plain_client_gets_an_invalid_value_again_and_again(ask_plainly, simulator):
    simulator.play("structured-output-invalid")

    for _ in range(3):
        assert not accepts(LENIENT, output(ask_plainly(LENIENT)))


def test_a_plain_client_may_get_prose_though_it_asked_for_a_value(ask_plainly, simulator):
    simulator.play("structured-output-ignored")

    assert only_block(ask_plainly(SCHEMA))["text"].startswith("I would rather answer in prose")


def test_the_default_scenario_gives_an_example_to_whoever_asks_for_a_value(ask, ask_plainly):
    call = only_block(ask(tools=tools(SCHEMA)))
    assert (call["type"], call["name"], accepts(SCHEMA, call["input"])) == ("tool_use", "StructuredOutput", True)
    assert accepts(SCHEMA, output(ask_plainly(SCHEMA)))


def test_a_scenario_without_a_value_answers_a_plain_client_with_its_text(ask_plainly, simulator):
    simulator.play("memory")
    assert only_block(ask_plainly(SCHEMA))["text"].startswith("You sent 1 prompts.")


def test_a_plain_client_gets_the_value_as_it_is_where_the_scenario_says_nothing_of_fitting(ask_plainly, simulator):
    value = {"town": "Graz „Süd“"}
    block = {"type": "tool_use", "name": "StructuredOutput", "input": value}
    simulator.play(parse_scenario("test", {"description": "For a test.", "steps": [{"content": [block]}]}))

    response = ask_plainly(SCHEMA)

    assert output(response) == value
    assert "Süd" in response.text


def test_a_step_says_by_which_reason_the_value_ends(ask_plainly, simulator):
    block = {"type": "tool_use", "name": "StructuredOutput", "input": {"city": "Gr"}}
    step = {"stop_reason": "max_tokens", "content": [block]}
    simulator.play(parse_scenario("test", {"description": "For a test.", "steps": [step]}))

    assert ask_plainly(SCHEMA).json()["stop_reason"] == "max_tokens"


def test_the_value_is_streamed_as_text(ask_plainly, simulator):
    simulator.play("structured-output")

    lines = ask_plainly(LENIENT, stream=True).text.splitlines()

    events = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    assert {delta["type"] for delta in deltas} == {"text_delta"}
    assert len(deltas) > 2
    assert json.loads("".join(delta["text"] for delta in deltas))["answer"] == "forty-two"
