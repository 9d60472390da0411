"""How a run ends that does not end with ``done``.

``RunError`` is a ``RunFailed`` (``error``), of which one is ``RunRefused`` (nothing ran), or a ``RunAborted``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent_workers.client.event import Event

_REFUSALS = ("invalid_request", "unsupported_version", "policy_denied", "budget_exhausted")


class RunError(Exception):
    """Raised when a run has not ended with ``done``.

    Attributes:
        event: The terminal event.
    """

    def __init__(self, event: Event, message: str) -> None:
        super().__init__(message)
        self.event = event


class RunFailed(RunError):
    """Raised when a run has ended with ``error``. Its text is safe to show a user.

    Attributes:
        code: Such as ``rate_limited``; the contract lists them.
        retryable: Whether the same request may succeed later.
        retry_after_s: Seconds to wait before that, where the API has said so.
        details: What is wrong with the request, one object for each problem.
    """

    def __init__(self, event: Event) -> None:
        super().__init__(event, str(event["message"]))
        self.code: str = event["code"]
        self.retryable: bool = event["retryable"]
        after_ms = event.get("retry_after_ms")
        self.retry_after_s: float | None = None if after_ms is None else after_ms / 1000
        self.details: list[dict[str, Any]] = event.get("details") or []


class RunRefused(RunFailed):
    """Raised when the request was refused: nothing ran, and nothing was paid."""


class RunAborted(RunError):
    """Raised when a run was stopped.

    Attributes:
        reason: ``client``, ``signal`` or ``parent_gone``.
    """

    def __init__(self, event: Event) -> None:
        super().__init__(event, f"The run was stopped ({event['reason']}).")
        self.reason: str = event["reason"]


def error_of(event: Event, *, started: bool) -> RunError:
    """Returns the exception for a terminal event that is not ``done``.

    Args:
        event: The event.
        started: Whether a ``start`` event came before it.
    """
    if event["type"] == "aborted":
        return RunAborted(event)
    return RunRefused(event) if event["code"] in _REFUSALS and not started else RunFailed(event)
