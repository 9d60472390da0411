"""What becomes of a run whose worker has told its end: the end, or another attempt."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_workers.fleet.scripts import Ended

if TYPE_CHECKING:
    from collections.abc import Collection

    from agent_workers.protocol.v1.job import Job

_BACKOFF_MS = 1_000
_LONGEST_MS = 60_000
_MANY = 6  # doublings
_OURS = frozenset({"worker_lost"})
_TOLD_AT_ONCE = frozenset({"session_busy"})
"""Retryable, but it is for whoever asked to say when: the conversation may be busy for as long as its run likes."""
_BILLED = frozenset({"delta", "thinking", "tool_call", "tool_result", "app_tool_call", "usage", "permission_request"})


class Billing:
    """Tells whether an attempt has cost something."""

    def __init__(self) -> None:
        self.has_begun = False

    def see(self, event: dict[str, Any]) -> None:
        """Takes the next event."""
        if event["type"] in _BILLED or _tokens(event.get("usage")):
            self.has_begun = True


@dataclass(frozen=True, slots=True)
class Again:
    """Another attempt.

    Attributes:
        delay_ms: When, in milliseconds from now.
        code: What made the last one fail.
    """

    delay_ms: int
    code: str


def ending(job: Job, event: dict[str, Any], *, is_billed: bool, failures: int) -> Ended | Again:
    """Says what becomes of a run.

    Args:
        job: Its job.
        event: The terminal event.
        is_billed: Whether the attempt has cost something.
        failures: How many attempts had failed before it.
    """
    if event["type"] != "error":
        return Ended(event["type"])
    code = event["code"]
    if failures + 1 < job.fields.attempts and _may_again(code, event, job.fields.retry_on or (), is_billed=is_billed):
        return Again(_delay_ms(event, failures), code)
    is_dead = event["retryable"] or code in (job.fields.retry_on or ())
    return Ended("error", code, is_dead=is_dead and code not in _TOLD_AT_ONCE)


def _may_again(code: str, event: dict[str, Any], retry_on: Collection[str], *, is_billed: bool) -> bool:
    if code in retry_on or code in _OURS:
        return True
    return event["retryable"] and not is_billed and code not in _TOLD_AT_ONCE


def _delay_ms(event: dict[str, Any], failures: int) -> int:
    if (asked := event.get("retry_after_ms")) is not None:
        return int(asked)
    if event["code"] in _OURS:
        return 0
    spread = random.uniform(0.5, 1)  # noqa: S311 those of many runs should not come at the same moment
    return int(min(_LONGEST_MS, _BACKOFF_MS * 2 ** min(failures, _MANY)) * spread)


def _tokens(usage: object) -> bool:
    return isinstance(usage, dict) and any(isinstance(value, int) and value > 0 for value in usage.values())
