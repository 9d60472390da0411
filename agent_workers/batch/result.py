"""What one line of a batch has come to, as a JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent_workers.batch.item import BadLine, Item, Line
    from agent_workers.client.event import Event
    from agent_workers.client.result import Result

_ERROR = ("code", "message", "retryable", "retry_after_ms", "http_status", "details")

Record = dict[str, Any]
"""``run``, ``line``, ``worker``, ``status`` (the type of the run's last event), ``output`` or ``text`` or ``error``,
``usage``, ``cost_usd``, ``session_id``, ``attempts``. What is not known is absent."""


def done(item: Item, result: Result, attempts: int) -> Record:
    """Returns the record of a run that was done."""
    answer = {"text": result.text} if result.output is None else {"output": result.output}
    return _record(item, result.event, attempts, answer)


def not_done(item: Item, event: Event, attempts: int) -> Record:
    """Returns the record of a run that ended with ``error`` or ``aborted``."""
    if event["type"] == "aborted":
        return _record(item, event, attempts, {"reason": event["reason"]})
    return _record(item, event, attempts, {"error": {name: event[name] for name in _ERROR if name in event}})


def refused(line: Line, bad: BadLine) -> Record:
    """Returns the record of a line that could not be run."""
    error = {"code": "invalid_request", "message": str(bad), "retryable": False}
    if bad.details:
        error["details"] = bad.details
    return {"run": line.run, "line": line.number, "status": "error", "error": error, "attempts": 0}


def is_settled(record: Record) -> bool:
    """Whether a line is not to be run again: it was done, or has failed in a way that another try will not change."""
    return record["status"] == "done" or (record["status"] == "error" and not record["error"]["retryable"])


def _record(item: Item, event: Event, attempts: int, answer: dict[str, Any]) -> Record:
    spent = {name: event[name] for name in ("usage", "cost_usd", "session_id") if event.get(name) is not None}
    head = {"run": item.run, "line": item.line.number, "worker": item.worker, "status": event["type"]}
    return {**head, **answer, **spent, "attempts": attempts}
