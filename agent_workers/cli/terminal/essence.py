"""What a tool is called with, in the words that a person looks for first."""

from __future__ import annotations

from typing import Any

from agent_workers.cli.terminal.words import short

# The fields that say it all, most telling first; what the tool takes beside them is seldom worth a line.
_TELLING = {
    "Agent": ("description",),
    "Bash": ("command",),
    "Edit": ("file_path",),
    "Glob": ("pattern", "path"),
    "Grep": ("pattern", "path", "glob"),
    "NotebookEdit": ("notebook_path",),
    "Read": ("file_path",),
    "WebFetch": ("url",),
    "WebSearch": ("query",),
    "Write": ("file_path",),
}


def essence(name: object, tool_input: Any, longest: int = 100) -> str:
    """The essence of a call's input on one line; of a tool that is not known here, its JSON.

    Args:
        name: Of the tool.
        tool_input: As in the event; None where that has none.
        longest: Characters from which on it is cut.
    """
    if tool_input is None:
        return ""
    if isinstance(tool_input, dict) and isinstance(name, str):
        told = [tool_input[field] for field in _TELLING.get(name, ()) if field in tool_input]
        if told and all(isinstance(value, str) for value in told):
            return short(" in ".join(told), longest)
    return short(tool_input, longest)
