"""What a person may call a tool with, and what is made of its answer."""

import json
import math
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from agent_workers.engine.mcp.arguments import admit_call
from agent_workers.engine.mcp.outcome import failure_of, outcome_of
from agent_workers.errors import InvalidRequest
from agent_workers.protocol.v1.request import parse_request
from agent_workers.protocol.v1.tool_request import ToolRequest

CITY = {"type": "object", "properties": {"city": {"type": "string"}, "customer_id": {"type": "integer"}}}


def refusals(schema: dict[str, Any], tool_input: dict[str, Any], tool: str = "search") -> dict[str, str | None]:
    """The places of what is refused, each with the nearest known name."""
    request = parse_request({"server": {"name": "crm", "command": "x"}, "tool": tool, "input": tool_input}, ToolRequest)

    async def tools() -> AsyncIterator[dict[str, Any]]:
        for name in ("list", "search"):
            yield {"name": name, "inputSchema": schema}

    try:
        anyio.run(admit_call, request, tools())
    except InvalidRequest as refused:
        return {problem.pointer: problem.did_you_mean for problem in refused.details or ()}
    return {}


@pytest.mark.parametrize(
    ("schema", "tool_input", "refused"),
    [
        (CITY, {"city": "Graz"}, {}),
        (CITY, {}, {}),
        (CITY, {"city": 8010}, {"/input/city": None}),
        (CITY, {"ctiy": "Graz"}, {"/input/ctiy": "city"}),
        (CITY, {"City": "Graz", "customerId": 1}, {"/input/City": "city", "/input/customerId": "customer_id"}),
        (CITY, {"something": 1}, {}),
        (CITY, {"city": "Graz", "citys": "Wien"}, {}),
        ({**CITY, "additionalProperties": {}}, {"ctiy": "Graz"}, {}),
        ({**CITY, "additionalProperties": True}, {"ctiy": "Graz"}, {}),
        ({**CITY, "patternProperties": {"^c": {}}}, {"ctiy": "Graz"}, {}),
        ({**CITY, "additionalProperties": False}, {"zzz": 1}, {"/input/zzz": None}),
        ({**CITY, "required": ["city"]}, {"ctiy": "Graz"}, {"/input/city": None, "/input/ctiy": "city"}),
        ({"type": "object", "properties": {"a": CITY}}, {"a": {"city": 1}}, {"/input/a/city": None}),
        ({"type": "object", "properties": {"a~/b": {"type": "string"}}}, {"a~/b": 1}, {"/input/a~0~1b": None}),
        ({"type": "object"}, {"any": 1}, {}),
        ({"type": "object", "properties": {"a": {"$ref": "https://example.com/x"}}}, {"a": 1}, {}),
        ({"type": "object", "properties": {"a": {"pattern": "("}}}, {"a": "x"}, {}),
        (
            {"type": "object", "$defs": {"n": {"type": "integer"}}, "properties": {"a": {"$ref": "#/$defs/n"}}},
            {"a": "x"},
            {"/input/a": None},
        ),
    ],
)
def test_an_input_is_held_against_the_schema_of_its_tool(
    schema: dict[str, Any], tool_input: dict[str, Any], refused: dict[str, str | None]
) -> None:
    assert refusals(schema, tool_input) == refused


@pytest.mark.parametrize(("tool", "near"), [("serach", "search"), ("mcp__crm__lst", "list"), ("zzz", None)])
def test_a_tool_that_the_server_does_not_have_is_refused_with_the_nearest(tool: str, near: str | None) -> None:
    assert refusals(CITY, {}, tool) == {"/tool": near}


def test_what_a_tool_answers_is_told_as_text_and_as_json() -> None:
    parts = [
        {"type": "text", "text": "a", "annotations": None},
        {"type": "audio", "data": "AAAA", "mimeType": "audio/wav"},
        {"type": "resource", "resource": {"uri": "file:///a", "text": "b"}},
        {"type": "resource_link", "uri": "file:///c", "name": "c"},
        {"type": "text", "text": ""},
    ]
    told = outcome_of({"content": parts})
    assert told.text == "a\n[audio]\nb\n[resource_link]\n"
    assert told.output[:2] == [
        {"type": "text", "text": "a"},
        {"type": "audio", "data": "[audio]", "mimeType": "audio/wav"},
    ]
    assert (told.failed, told.retryable, told.left_out) == (False, None, 0)
    structured = outcome_of({"content": [], "structuredContent": {"a": None, "b": math.nan}})
    assert structured.output == {"a": None, "b": None}
    assert outcome_of({"content": []}).output == []


def test_an_output_that_no_line_has_room_for_is_left_out_and_counted() -> None:
    large = {"a": "x" * 200_000}
    told = outcome_of({"content": [], "structuredContent": large})
    assert (told.output, told.left_out) == (None, len(json.dumps(large, separators=(",", ":"))))


def test_a_failure_says_whether_the_same_call_is_worth_a_retry() -> None:
    assert outcome_of({"content": [], "isError": True}).retryable is False
    assert failure_of(-32603, "broken").retryable is True
    assert failure_of(-32602, "no such argument").retryable is False
