"""The tool calls of one run and their results, as events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.engine.claude.messages.system_messages import plain_text
from agent_workers.protocol.v1.events import ToolCall, ToolResult
from agent_workers.protocol.v1.tool_names import SUBAGENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.engine.base import Progress
    from agent_workers.protocol.v1.control import AppToolResult


class ToolCalls:
    """The calls that the model has made.

    Args:
        progress: Kept up to date with the calls that have no result yet.

    Attributes:
        main: The ids of those of the main agent.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.main: set[str] = set()
        self._made: set[str] = set()
        self._hidden: set[str] = set()
        self._denied: set[str] = set()
        self._unanswered: set[str] = set()
        self._said: dict[str, AppToolResult] = {}

    def hide(self, tool_use_id: str) -> None:
        """Leaves out the result of a call for which there is no event."""
        self._hidden.add(tool_use_id)

    def note_denial(self, tool_use_id: str) -> None:
        """Notes that a call was denied; its result says so."""
        self._denied.add(tool_use_id)

    def note_unanswered(self, tool_use_id: str) -> None:
        """Notes that nobody answered the question of a call, which counts as no denial."""
        self._unanswered.add(tool_use_id)

    def denials(self, listed: Any) -> list[dict[str, Any]]:
        """Returns those of the denials that the agent lists which are some."""
        return [denial for denial in listed or () if denial.get("tool_use_id") not in self._unanswered]

    def note_result(self, tool_use_id: str, result: AppToolResult) -> None:
        """Notes what the application says of a result besides its content."""
        self._said[tool_use_id] = result

    def has(self, tool_use_id: str) -> bool:
        """Tells whether the model has made this call in this run."""
        return tool_use_id in self._made

    def begin(self, block: dict[str, Any], parent: str | None) -> ToolCall:
        """Returns the event for a call.

        Args:
            block: The content block that makes the call.
            parent: The call of the subagent that makes it; None for the main agent's own.
        """
        self._made.add(block["id"])
        if parent is None:
            self.main.add(block["id"])
        if block["name"] != SUBAGENT:  # whose own calls of the model may stall
            self._progress.calls.add(block["id"])
        return ToolCall(
            tool_use_id=block["id"],
            name=block["name"],
            input=block.get("input") or {},
            parent_tool_use_id=parent,
        )

    def end(self, message: dict[str, Any]) -> Iterator[ToolResult]:
        """Yields the events for the results in a message."""
        content = message.get("message", {}).get("content")
        if not isinstance(content, list):
            return  # text that the CLI put into the conversation, not for the user
        for block in content:
            call = block.get("tool_use_id")
            if block.get("type") == "tool_result" and isinstance(call, str) and call not in self._hidden:
                self._progress.touch()
                self._progress.calls.discard(call)
                self.main.discard(call)
                yield self._result(call, block, message.get("parent_tool_use_id"))

    def _result(self, call: str, block: dict[str, Any], parent: str | None) -> ToolResult:
        said = self._said.pop(call, None)
        failed = bool(block.get("is_error"))
        return ToolResult(
            tool_use_id=call,
            status="denied" if call in self._denied else "error" if failed else "ok",
            content=plain_text(block.get("content")),
            parent_tool_use_id=parent,
            retryable=said.retryable if said and failed else None,
            replayed=True if said and said.replayed else None,
        )
