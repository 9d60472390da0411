"""Turns the agent's system messages into events. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.engine.claude.messages.failure import retry_code
from agent_workers.protocol.v1.events import Retry, Task

if TYPE_CHECKING:
    from collections.abc import Iterator

Message = dict[str, Any]


def plain_text(content: Any) -> str:
    """Returns a tool's answer as text; names the parts that are no text."""
    if isinstance(content, list):
        return "\n".join(part.get("text") or f"[{part.get('type', 'unknown')}]" for part in content)
    return content if isinstance(content, str) else ""


def retry_of(message: Message) -> Retry:
    """Returns the event for a call of the API that is tried again."""
    status = message.get("error_status")
    return Retry(
        attempt=message.get("attempt", 1),
        max_attempts=message.get("max_retries", 1),
        delay_ms=round(message.get("retry_delay_ms") or 0),
        http_status=status if isinstance(status, int) else None,
        code=retry_code(status, message.get("error")),
    )


def tasks_of(message: Message) -> Iterator[Task]:
    """Yields what became of a subagent or of background work, where the message says so."""
    patch = message.get("patch") or {}
    status = message.get("status") or patch.get("status")
    if message["subtype"] == "task_started":
        status = "started"
    if status and message.get("task_id"):
        yield Task(
            task_id=message["task_id"],
            status=status,
            description=message.get("description") or message.get("summary") or "",
            tool_use_id=message.get("tool_use_id"),
        )
