"""What of a run is kept: the operator's choice. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from agent_workers.records.redaction import Redaction

Keep = Literal["everything", "no-tools", "metadata"]
KEPT_EVENTS = ("permission_resolved", "question_resolved", "retry", "notice", "done", "error", "aborted")
"""Types of the events that are kept as they are, unless the operator says otherwise."""
ALL_EVENTS = "*"

_OF_TOOLS = ("tool_call", "tool_result")
_ENVELOPE = frozenset({"v", "seq", "run", "ts", "type", "prev"})
_TOOL_FIELDS = frozenset({"input", "content"})
_REASONED = ("discard", "aborted")
"""Types whose ``reason`` is one of a few words."""
_WITHOUT_TEXT = frozenset(
    {
        *("id", "ok", "code", "level", "retryable", "retry_after_ms", "busy_ms", "http_status", "stop_reason"),
        *("behavior", "by", "actor", "status", "permission_id", "question_id", "tool_use_id"),
        *("parent_tool_use_id", "call_id", "task_id", "effect_key", "replayed", "name", "expires_at", "stream"),
        *("block", "blocks", "idle_ms", "attempt", "max_attempts", "delay_ms", "session_id", "model", "tools"),
        *("resumed", "simulated", "engine", "warm", "worker", "worker_version", "sdk_version", "cli_version"),
        *("skill", "skill_version", "user", "subject", "traceparent", "usage", "usage_scope", "cost_usd"),
        *("duration_ms", "turns", "models", "needs_review", "lane", "truncated_bytes"),
    }
)
"""Fields of events that hold no free text."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """The operator's choice.

    Attributes:
        keep: ``everything``; ``no-tools`` leaves out what tools got and gave; ``metadata`` keeps no content at all.
        redaction: What is taken out of texts.
        events: Types of the events that are kept as they are; ``*`` for all.
    """

    keep: Keep = "everything"
    redaction: Redaction = field(default_factory=Redaction)
    events: tuple[str, ...] = KEPT_EVENTS

    @property
    def has_content(self) -> bool:
        """Whether anything of what was said is kept."""
        return self.keep != "metadata"

    @property
    def has_tools(self) -> bool:
        """Whether what tools got and gave is kept."""
        return self.keep == "everything"

    def content(self, kind: str, value: Any) -> Any:
        """Returns a message's content as it is kept; None where it is not."""
        if not self.has_content or (kind in _OF_TOOLS and not self.has_tools):
            return None
        return self.redaction.value(value)

    def words(self, text: str | None) -> str | None:
        """Returns a free text as it is kept."""
        return self.redaction.text(text) if text and self.has_content else None

    def is_kept(self, kind: str) -> bool:
        """Whether events of a type are kept as they are."""
        return kind in self.events or ALL_EVENTS in self.events

    def payload(self, event: dict[str, Any], *, runs_tool: bool) -> dict[str, Any]:
        """Returns the fields of an event as they are kept, without its envelope.

        Args:
            event: The event.
            runs_tool: Whether its run is that of a tool, without a model: then its answer is the tool's.
        """
        fields = {name: value for name, value in event.items() if name not in _ENVELOPE}
        if not self.has_content:
            reason = {"reason"} if event["type"] in _REASONED else set()
            fields = {name: value for name, value in fields.items() if name in _WITHOUT_TEXT | reason}
        elif not self.has_tools:
            hidden = _TOOL_FIELDS | ({"text", "output"} if runs_tool or event["type"] == "tool_output" else set())
            fields = {name: _without_input(value) for name, value in fields.items() if name not in hidden}
        kept: dict[str, Any] = self.redaction.value(fields)
        return kept


def _without_input(value: Any) -> Any:
    """Returns ``denials`` and ``pending`` without what the tools were called with."""
    if isinstance(value, list):
        return [_without_input(item) for item in value]
    if isinstance(value, dict) and "tool_use_id" in value:
        return {name: item for name, item in value.items() if name not in _TOOL_FIELDS}
    return value
