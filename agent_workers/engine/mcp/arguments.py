"""Whether a call names a tool of the server, and fits it: every problem, with its place in the request."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from agent_workers.engine.input_check import find_faults
from agent_workers.errors import InvalidRequest
from agent_workers.json_schema import schema_fault
from agent_workers.json_schema.faults import explained
from agent_workers.json_schema.nearest import nearest
from agent_workers.protocol.v1.problem import MAX_PROBLEMS, Problem, pointer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from agent_workers.protocol.v1.tool_request import ToolRequest

logger = logging.getLogger("agent_workers")

_UNKNOWN = "is no argument of this tool"
_LONGEST_TYPO = 64
_MOST_NAMED = 20


async def admit_call(request: ToolRequest, tools: AsyncIterator[dict[str, Any]]) -> None:
    """Finds the tool among those that the server lists, and checks the input against its schema.

    Raises:
        InvalidRequest: There is no such tool, or the input does not fit it.
    """
    names = []
    async for tool in tools:
        if tool["name"] == request.tool:
            if problems := [problem async for problem in _problems(tool["inputSchema"], request.input)]:
                raise _refused(problems[:MAX_PROBLEMS])
            return
        names.append(tool["name"])
    raise _refused([_no_such_tool(request, names)], _listed(names))


def _refused(problems: list[Problem], known: str = "") -> InvalidRequest:
    places = ", ".join(ascii(problem.pointer)[1:-1] for problem in problems)
    return InvalidRequest(cause=f"refused for {places}; the tool did not run{known}", details=problems)


def _listed(names: list[str]) -> str:
    """The server's tools, for the operator alone: whoever asks may not be meant to know of them."""
    shown = ", ".join(ascii(name[:_LONGEST_TYPO])[1:-1] for name in names[:_MOST_NAMED])
    return f"; the server has: {shown}{', …' if len(names) > _MOST_NAMED else ''}" if names else ""


def _no_such_tool(request: ToolRequest, names: list[str]) -> Problem:
    server = request.server.name
    near = next(iter(nearest(request.tool.removeprefix(f"mcp__{server}__"), names)), None)
    words = f"is no tool of the server {server}" if names else f"is no tool of the server {server}, which has none"
    return Problem(pointer="/tool", message=words, did_you_mean=near)


async def _problems(schema: dict[str, Any], tool_input: dict[str, Any]) -> AsyncIterator[Problem]:
    if unusable := schema_fault(schema, python_patterns=True):
        logger.warning("the tool's schema cannot be used, the server must check: %s", unusable.words)
        return
    try:
        faults = await find_faults(schema, tool_input)
    except TimeoutError:
        logger.warning("the input could not be checked against the tool's schema in time; the server must check")
        return
    told = {name for fault in faults for name in fault.unknown if not fault.path}
    for fault in faults:
        for problem in explained(fault, ("input",), _UNKNOWN):
            yield problem
    for name in _mistyped(schema, tool_input, told):
        yield name


def _mistyped(schema: dict[str, Any], tool_input: dict[str, Any], told: set[str]) -> Iterator[Problem]:
    """Yields the arguments that the schema lets pass unread, and that look like ones that it lists."""
    properties = schema.get("properties")
    open_to_others = schema.get("additionalProperties", False) is not False or "patternProperties" in schema
    if not isinstance(properties, dict) or open_to_others:
        return
    missing = [name for name in properties if name not in tool_input]
    for name in tool_input:
        if name not in properties and name not in told and nearest(name, missing):
            yield _unknown(("input", name), name, missing)


def _unknown(place: tuple[str | int, ...], name: str, known: list[str]) -> Problem:
    return Problem(pointer=pointer(place), message=_UNKNOWN, did_you_mean=next(iter(nearest(name, known)), None))
