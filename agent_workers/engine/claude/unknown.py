"""Content blocks of the model's answer that this version does not know. They are passed over, and told of once."""

from __future__ import annotations

import re
from typing import Any

from agent_workers.errors import AnswerUnreadable, CliCrashed, WorkerError
from agent_workers.protocol.v1.events import Notice

_KNOWN = frozenset({"text", "thinking", "redacted_thinking", "tool_use"})
_KIND = re.compile(r"[a-z0-9_.-]{1,64}", re.IGNORECASE)


def is_call(block: dict[str, Any]) -> bool:
    """Whether a block calls a tool, and can be read."""
    call = block.get("type") == "tool_use"
    return call and isinstance(block.get("id"), str) and isinstance(block.get("name"), str)


class UnknownBlocks:
    """What was passed over in one run."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._unreadable = False

    def pass_over(self, block: dict[str, Any]) -> Notice | None:
        """A notice on a block that cannot be told, the first time that one of its kind comes."""
        kind = str(block.get("type"))
        if kind in _KNOWN and (kind != "tool_use" or is_call(block)):
            return None
        self._unreadable = self._unreadable or kind == "tool_use"
        name = kind if isinstance(block.get("type"), str) and _KIND.fullmatch(kind) else "of no kind"
        if name in self._told:
            return None
        self._told.add(name)
        words = "a call without a name or an id" if kind == "tool_use" else f"a block ({name}) that is not known here"
        return Notice(level="warning", code="unknown_block", message=f"A part of the answer was passed over: {words}.")

    def explain(self, error: WorkerError) -> WorkerError:
        """The error of a failed run; the CLI's crash over what the API has sent is not the CLI's failure."""
        if self._unreadable and isinstance(error, CliCrashed):
            return AnswerUnreadable(cause=f"the API sent a call of a tool without a name or an id; {error.cause}")
        return error
