"""What a tool is called with, in the words that a person looks for first."""

from __future__ import annotations

from typing import Any

from agent_workers.cli.terminal.words import short
from agent_workers.protocol.v1.tools import BUILT_IN_TOOLS


def essence(name: object, tool_input: Any, longest: int = 100) -> str:
    """Returns the essence of a call's input on one line; for an unknown tool, its JSON.

    Args:
        name: Of the tool.
        tool_input: As in the event; None where that has none.
        longest: Characters from which on it is cut.
    """
    if tool_input is None:
        return ""
    if isinstance(tool_input, dict) and isinstance(name, str):
        tool = BUILT_IN_TOOLS.get(name)
        told = [_asked(tool_input[field]) for field in (tool.telling if tool else ()) if field in tool_input]
        if told and all(isinstance(value, str) for value in told):
            return short(" in ".join(told), longest)
    return short(tool_input, longest)


def _asked(value: Any) -> Any:
    """Returns the texts of a list of questions to the user; anything else as it is."""
    if isinstance(value, list) and value and all(isinstance(item, dict) and "question" in item for item in value):
        return "; ".join(str(item["question"]) for item in value)
    return value
