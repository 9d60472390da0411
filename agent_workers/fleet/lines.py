"""Events that the fleet itself writes, where no worker is there to do it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from agent_workers.protocol.v1.envelope import envelop
from agent_workers.wire import dump, timestamp

_RUN = "\0"
UNNUMBERED = 0
"""Number of an event that Redis numbers when it writes it."""


def line(run: str, body: dict[str, Any], seq: int = UNNUMBERED, *, prev: str | None = None) -> bytes:
    """Returns the line of an event, without its newline.

    Args:
        run: The run's id.
        body: The event without its envelope.
        seq: Its number.
        prev: The digest of the line before it, where lines are chained.
    """
    chained = {"prev": prev} if prev else {}
    return dump(envelop(body, seq=seq, run=run, ts=timestamp(datetime.now(UTC))) | chained)


def error(code: str, message: str, *, retryable: bool = False, **more: Any) -> dict[str, Any]:
    """Returns the body of a terminal ``error``."""
    return {"type": "error", "code": code, "message": message, "retryable": retryable, **more}


WORKER_LOST = error(
    "worker_lost", "The machine or process that had this run in hand has gone. Try again.", retryable=True
)
EXPIRED = error("timeout", "The job waited for longer than its expires_at allows, and was not begun.")
ABORTED = {"type": "aborted", "reason": "client"}


def around_run(body: dict[str, Any] = EXPIRED) -> tuple[bytes, bytes]:
    """Returns the line of an event of a run that Redis has yet to choose: up to the run's id, and after it."""
    before, after = line(_RUN, body).split(b'"\\u0000"')
    return before, after
