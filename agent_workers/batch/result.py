"""What one line of a batch has come to, as a JSON object."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_workers.batch.item import BadLine, Item, Line
    from agent_workers.client.event import Event
    from agent_workers.client.result import Result

_ERROR = ("code", "message", "retryable", "retry_after_ms", "http_status", "details")

Record = dict[str, Any]
"""``run``, ``line``, ``key``, ``worker``, ``status`` (the type of the run's last event), ``output`` or ``text`` or
``error``, ``engine``, ``skill``, ``skill_version``, ``needs_review``, ``lane``, ``usage`` and ``cost_usd`` of all
attempts, ``session_id``, ``attempts``. What is not known is absent."""

_OF_THE_EVENT = ("skill", "skill_version", "needs_review", "lane", "session_id")


def done(item: Item, result: Result, ends: Sequence[Event], engine: str | None = None) -> Record:
    """Returns the record of a run that was done.

    Args:
        item: What was asked for.
        result: What came of it.
        ends: The terminal events of all its attempts.
        engine: What did the work, as far as that is known.
    """
    answer = {"text": result.text} if result.output is None else {"output": result.output}
    return _record(item, result.event, ends, answer, engine)


def not_done(
    item: Item, event: Event, ends: Sequence[Event], engine: str | None = None, *, retryable: bool = False
) -> Record:
    """Returns the record of a run that ended with ``error`` or ``aborted``; see ``done``.

    Args:
        item: What was asked for.
        event: The run's terminal event.
        ends: The terminal events of all its attempts.
        engine: What did the work, as far as that is known.
        retryable: Whether another start may succeed, whatever the run says.
    """
    if event["type"] == "aborted":
        return _record(item, event, ends, {"reason": event["reason"]}, engine)
    error = {name: event[name] for name in _ERROR if name in event}
    return _record(item, event, ends, {"error": {**error, "retryable": retryable or error["retryable"]}}, engine)


def refused(line: Line, bad: BadLine) -> Record:
    """Returns the record of a line that could not be run."""
    error = {"code": "invalid_request", "message": str(bad), "retryable": False}
    if bad.details:
        error["details"] = bad.details
    return {**_head(line.run, line, bad.key), "status": "error", "error": error, "attempts": 0}


def is_settled(record: Record) -> bool:
    """Whether a line is not to be run again: it was done, or has failed in a way that another try will not change."""
    return record["status"] == "done" or (record["status"] == "error" and not record["error"]["retryable"])


def _record(item: Item, event: Event, ends: Sequence[Event], answer: dict[str, Any], engine: str | None) -> Record:
    told = {name: event[name] for name in _OF_THE_EVENT if event.get(name) is not None}
    if engine is not None:
        told["engine"] = engine
    head = {**_head(item.run, item.line, item.key), "worker": item.worker, "status": event["type"]}
    return {**head, **answer, **told, **_paid(ends), "attempts": len(ends)}


def _paid(ends: Sequence[Event]) -> Record:
    """Returns what all attempts have cost together: each of them is paid for."""
    costs = [end["cost_usd"] for end in ends if end.get("cost_usd") is not None]
    usages = [end["usage"] for end in ends if end.get("usage") is not None]
    usage: Counter[str] = Counter()
    for each in usages:
        usage.update({name: count for name, count in each.items() if isinstance(count, int)})
    return {**({"usage": dict(usage)} if usages else {}), **({"cost_usd": sum(costs)} if costs else {})}


def _head(run: str, line: Line, key: str | int | None) -> Record:
    return {"run": run, "line": line.number, **({} if key is None else {"key": key})}
