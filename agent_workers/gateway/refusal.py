"""Why a request is refused, as its sender is told: one JSON object with a code, in the form of the PHP bridge."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agent_workers.protocol.v1.problem import Problem

_STATUS = {
    "invalid_request": 422,
    "forbidden": 403,
    "context_overflow": 413,
    "session_not_found": 404,
    "session_exists": 409,
    "session_busy": 409,
    "rate_limited": 429,
    "gateway": 502,
    "output_schema": 502,
    "output_too_large": 502,
    "timeout": 504,
}
_RETRYABLE = 503
_OTHER = 500
_RETRY_AFTER_MS = 5_000
"""If nobody has said how long to wait."""
_STOPPED = {"client": "The run was stopped."}


class Refusal(Exception):
    """Raised where a request is refused.

    Attributes:
        status: The HTTP status.
        code: Names the reason for programs.
        retry_after_ms: How long to wait before the same may succeed; None where it never will.
        errors: What is wrong with which field of the body.
        details: What is wrong with the request that a preset and the body came to.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry_after_ms: int | None = None,
        errors: Mapping[str, list[str]] | None = None,
        details: Any = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after_ms = retry_after_ms
        self.errors = errors
        self.details = details

    def body(self) -> dict[str, Any]:
        """Returns what is told, as a JSON object."""
        said = {
            "message": str(self),
            "code": self.code,
            "retryable": self.retry_after_ms is not None,
            "retry_after_ms": self.retry_after_ms,
            "errors": self.errors,
            "details": self.details,
        }
        return {name: value for name, value in said.items() if value is not None}

    def headers(self) -> dict[str, str]:
        """Returns the headers that belong to it."""
        own = {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}  # noqa: PLR2004
        if self.retry_after_ms is not None:
            own["Retry-After"] = str(math.ceil(self.retry_after_ms / 1000))
        return own


def no_run() -> Refusal:
    """Returns the refusal of a run that there is not, or that is somebody else's: nobody may learn which."""
    return Refusal(404, "no_run", "There is no such run.")


def run_over() -> Refusal:
    """Returns the refusal of a run that has ended."""
    return Refusal(410, "run_over", "This run has ended.")


def busy(message: str = "The server is busy. Try again in a moment.", *, after_ms: int = _RETRY_AFTER_MS) -> Refusal:
    """Returns the refusal of what may succeed later."""
    return Refusal(503, "server_busy", message, retry_after_ms=after_ms)


def invalid(errors: Mapping[str, list[str]]) -> Refusal:
    """Returns the refusal of a body, whose message is the first of what is wrong."""
    first = next(iter(errors.values()))[0]
    return Refusal(422, "invalid_request", first, errors=errors)


def misfit(problems: Iterable[Problem]) -> Refusal:
    """Returns the refusal of a request that no worker would accept."""
    told = [{"pointer": each.pointer, "message": each.message} for each in problems]
    words = f"The request cannot be accepted: {told[0]['pointer']} {told[0]['message']}"
    return Refusal(422, "invalid_request", words, details=told)


def of_ending(event: Mapping[str, Any]) -> Refusal:
    """Returns the refusal for a run that has ended with ``error`` or ``aborted``."""
    if event["type"] == "aborted":
        return Refusal(_RETRYABLE, "aborted", said_of(event), retry_after_ms=_RETRY_AFTER_MS)
    retryable, code = bool(event.get("retryable")), str(event.get("code", "internal"))
    status = _STATUS.get(code, _RETRYABLE if retryable else _OTHER)
    wait = event.get("retry_after_ms") or (_RETRY_AFTER_MS if retryable else None)
    return Refusal(status, code, said_of(event), retry_after_ms=wait, details=event.get("details"))


def said_of(event: Mapping[str, Any]) -> str:
    """Returns what a person is told of an ``error`` or ``aborted``."""
    if event["type"] == "error":
        return str(event.get("message", ""))
    return _STOPPED.get(str(event.get("reason")), "The run was stopped by the server.")
