"""The request of a tool's run: read strictly, by schema and model alike."""

import json
from typing import Any

import pytest
from jsonschema import ValidationError

from agent_workers.protocol.v1.request import RequestProblems, parse_request
from agent_workers.protocol.v1.tool_request import HttpToolServer, StdioToolServer, ToolRequest

PROGRAM = {"name": "crm", "command": "/usr/bin/crm"}
WEB = {"name": "crm", "type": "http", "url": "https://mcp.example.com/mcp", "headers": {"Authorization": "Bearer x"}}
ASKED = {"server": PROGRAM, "tool": "search"}


def problems(document: Any) -> dict[str, tuple[str, str | None]]:
    with pytest.raises(RequestProblems) as refused:
        parse_request(document, ToolRequest)
    return {problem.pointer: (problem.message, problem.did_you_mean) for problem in refused.value.problems}


@pytest.mark.parametrize(("server", "kind"), [(PROGRAM, StdioToolServer), (WEB, HttpToolServer)])
def test_a_server_is_a_program_or_an_address_with_its_name(server: dict[str, Any], kind: type, validate: Any) -> None:
    document = {**ASKED, "server": server}
    validate("tool-request", document)
    request = parse_request(document, ToolRequest)
    assert isinstance(request.server, kind)
    assert (request.tool_name, request.input, request.limits.timeout_s) == ("mcp__crm__search", {}, 300)


@pytest.mark.parametrize(
    ("change", "places"),
    [
        ({"server": {"command": "/usr/bin/crm"}}, {"/server/name"}),
        ({"server": {**PROGRAM, "name": "a__b"}}, {"/server/name"}),
        ({"server": {**PROGRAM, "url": "https://x"}}, {"/server/url", "/server/command"}),
        ({"server": "crm"}, {"/server"}),
        ({"server": {**PROGRAM, "type": "sse"}}, {"/server"}),
        ({"server": {**PROGRAM, "command": "${HOME}/crm"}}, {"/server/command"}),
        ({"tool": "two words"}, {"/tool"}),
        ({"tool": None}, {"/tool"}),
        ({"input": [1]}, {"/input"}),
        ({"limits": {"timeout_s": 0}}, {"/limits/timeout_s"}),
        ({"v": 2}, {"/v"}),
    ],
)
def test_a_faulty_field_is_refused_at_its_place(change: dict[str, Any], places: set[str], validate: Any) -> None:
    document = {**ASKED, **change}
    assert problems(document).keys() <= places
    with pytest.raises(ValidationError):
        validate("tool-request", document)


def test_what_belongs_to_a_model_is_refused_with_the_reason() -> None:
    asked = {
        **ASKED,
        "prompt": "Hi",
        "session_owner": "7",
        "limits": {"max_budget_usd": 1},
        "stream": {"partial": True},
    }
    found = problems(asked)
    assert set(found) == {"/prompt", "/session_owner", "/limits/max_budget_usd", "/stream/partial"}
    assert all("asks no model" in message for message, _ in found.values())


def test_a_mistyped_field_is_told_with_the_nearest_one() -> None:
    found = problems({**ASKED, "arguments": {}, "limits": {"timeout": 5}, "timeout_s": 5, "mcp_servers": {}})
    assert found["/arguments"][1] == "input"
    assert (found["/limits/timeout"][1], found["/timeout_s"][1]) == ("timeout_s", "limits.timeout_s")
    assert "server" in found["/mcp_servers"][0]


def test_the_example_is_valid_for_schema_and_model(root: Any, validate: Any) -> None:
    [example] = (root / "examples/requests/agent-tool").glob("*.json")
    document = json.loads(example.read_text())
    validate("tool-request", document)
    assert parse_request(document, ToolRequest).tool == "find_partner"
