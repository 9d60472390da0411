"""Content blocks of the answer that this version does not know. They are skipped, with one notice for each kind."""

from __future__ import annotations

import re
from typing import Any

from agent_workers.errors import AnswerUnreadable, CliCrashed, WorkerError
from agent_workers.protocol.v1.events import Notice

_KNOWN = frozenset({"text", "thinking", "redacted_thinking", "tool_use"})
_KIND = re.compile(r"[a-z0-9_.-]{1,64}", re.IGNORECASE)


def is_call(block: dict[str, Any]) -> bool:
    """Tells whether a block is a tool call that can be read."""
    call = block.get("type") == "tool_use"
    named = isinstance(block.get("id"), str) and isinstance(block.get("name"), str)
    return call and named and isinstance(block.get("input"), dict | None)


def is_unknown(block: dict[str, Any]) -> bool:
    """Tells whether a block cannot be turned into an event."""
    kind = str(block.get("type"))
    return kind not in _KNOWN or (kind == "tool_use" and not is_call(block))


class UnknownBlocks:
    """The blocks that were skipped in one run.

    Attributes:
        last: Whether the answer so far ends with a skipped block.
    """

    def __init__(self) -> None:
        self.last = False
        self._told: set[str] = set()
        self._unreadable = False

    def pass_over(self, block: dict[str, Any]) -> Notice | None:
        """Skips a block that is not known; returns a notice for the first of its kind."""
        if not is_unknown(block):
            return None
        kind = str(block.get("type"))
        self._unreadable = self._unreadable or kind == "tool_use"
        name = kind if isinstance(block.get("type"), str) and _KIND.fullmatch(kind) else "of no kind"
        if name in self._told:
            return None
        self._told.add(name)
        words = "a tool call that cannot be read" if kind == "tool_use" else f"a block ({name}) that is not known here"
        return Notice(level="warning", code="unknown_block", message=f"A part of the answer was passed over: {words}.")

    def reread(self, result: dict[str, Any], text: str) -> dict[str, Any]:
        """Returns the result of a turn that the CLI calls a failure only because it does not know the last block.

        Args:
            result: The agent's result message.
            text: The answer as it was sent.

        Raises:
            AnswerUnreadable: The answer holds nothing else.
        """
        failed = result.get("subtype") == "error_during_execution" and result.get("api_error_status") is None
        stop_reason = result.get("stop_reason")
        if not (self.last and failed and isinstance(stop_reason, str)) or stop_reason == "tool_use":
            return result
        if not text and stop_reason == "end_turn":
            raise AnswerUnreadable(cause="the API's answer holds nothing but blocks that are not known here")
        return {**result, "subtype": "success", "is_error": False}

    def explain(self, error: WorkerError) -> WorkerError:
        """Returns the error of a failed run. A CLI that crashed over what the API sent is not at fault itself."""
        if self._unreadable and isinstance(error, CliCrashed):
            return AnswerUnreadable(cause=f"the API sent a tool call that cannot be read; {error.cause}")
        return error
