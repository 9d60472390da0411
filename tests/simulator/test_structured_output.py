"""Calls of the tool through which the CLI asks for structured output."""

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
