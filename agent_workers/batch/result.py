"""What one line of a batch has come to, as a JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent_workers.batch.item import BadLine, Item, Line
    from agent_workers.client.event import Event
    from agent_workers.client.result import Result

_ERROR = ("code", "message", "retryable", "retry_after_ms", "http_status", "details")

Record = dict[str, Any]
"""``run``, ``line``, ``key``, ``worker``, ``status`` (the type of the run's last event), ``output`` or ``text`` or
``error``, ``skill``, ``skill_version``, ``needs_review``, ``usage``, ``cost_usd``, ``session_id``, ``attempts``. What
is not known is absent."""

_OF_THE_EVENT = ("skill", "skill_version", "needs_review", "usage", "cost_usd", "session_id")


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
    return {**_head(line.run, line, bad.key), "status": "error", "error": error, "attempts": 0}


def is_settled(record: Record) -> bool:
    """Whether a line is not to be run again: it was done, or has failed in a way that another try will not change."""
    return record["status"] == "done" or (record["status"] == "error" and not record["error"]["retryable"])


def _record(item: Item, event: Event, attempts: int, answer: dict[str, Any]) -> Record:
    told = {name: event[name] for name in _OF_THE_EVENT if event.get(name) is not None}
    head = {**_head(item.run, item.line, item.key), "worker": item.worker, "status": event["type"]}
    return {**head, **answer, **told, "attempts": attempts}


def _head(run: str, line: Line, key: str | int | None) -> Record:
    return {"run": run, "line": line.number, **({} if key is None else {"key": key})}
