"""The terminal events of a run that did not end with ``done``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from agent_workers.errors import EXIT_ABORTED, EXIT_DONE, EXIT_ERROR, EXIT_RETRYABLE
from agent_workers.protocol.v1.events import Aborted, Error

if TYPE_CHECKING:
    from agent_workers.engine.base import Progress
    from agent_workers.errors import WorkerError

AbortReason = Literal["client", "signal", "parent_gone"]


def failed(error: WorkerError, progress: Progress | None = None) -> Error:
    """Returns the ``error`` event for a failure, with what is known of the run."""
    return Error(
        code=error.code,
        message=error.message,
        retryable=error.retryable,
        retry_after_ms=error.retry_after_ms,
        busy_ms=error.busy_ms,
        http_status=error.http_status,
        details=list(error.details) if error.details else None,
        **_known(progress),
    )


def stopped(reason: AbortReason, progress: Progress | None = None) -> Aborted:
    """Returns the ``aborted`` event, with what is known of the run."""
    return Aborted(reason=reason, **_known(progress))


def exit_status(terminal: dict[str, Any]) -> int:
    """Returns the worker's exit status for a terminal event in its wire form."""
    if terminal["type"] == "error":
        return EXIT_RETRYABLE if terminal["retryable"] else EXIT_ERROR
    return EXIT_DONE if terminal["type"] == "done" else EXIT_ABORTED


def _known(progress: Progress | None) -> dict[str, Any]:
    if progress is None:
        return {}
    return {"session_id": progress.session_id, "usage": progress.usage, "cost_usd": progress.cost_usd}
