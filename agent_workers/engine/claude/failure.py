"""Which of the contract's errors a failure of the API or of the CLI is."""

from __future__ import annotations

import re

from agent_workers.errors import (
    ApiError,
    AuthError,
    BillingError,
    CliCrashed,
    ContextOverflow,
    ModelNotFound,
    NetworkError,
    OutputSchemaUnusable,
    Overloaded,
    RateLimited,
    RequestRejected,
    SandboxUnavailable,
    ServerError,
    SessionExists,
    SessionNotFound,
    WorkerError,
)

NO_SANDBOX = "sandbox required but unavailable"
_HTTP_STATUS = re.compile(r"API Error: (\d{3})\b")
_BY_STATUS: dict[int, type[ApiError]] = {
    400: RequestRejected,
    401: AuthError,
    402: BillingError,
    403: AuthError,
    404: ModelNotFound,
    408: NetworkError,
    413: ContextOverflow,
    429: RateLimited,
    529: Overloaded,
}
# The API's own error types; a stream that has begun can report an error in no other way.
_BY_TYPE: dict[str, type[ApiError]] = {
    "invalid_request_error": RequestRejected,
    "authentication_error": AuthError,
    "permission_error": AuthError,
    "billing_error": BillingError,
    "not_found_error": ModelNotFound,
    "request_too_large": ContextOverflow,
    "rate_limit_error": RateLimited,
    "timeout_error": NetworkError,
    "overloaded_error": Overloaded,
    "api_error": ServerError,
}
# The open sets of AssistantMessage.error and of the result's api_error
_BY_KIND: dict[str, type[ApiError]] = {
    "authentication_failed": AuthError,
    "billing_error": BillingError,
    "rate_limit": RateLimited,
    "invalid_request": RequestRejected,
    "server_error": ServerError,
    "model_not_found": ModelNotFound,
    "overloaded": Overloaded,
    "connection_failed": NetworkError,
}
# What neither a status nor a kind tells: the API's and the CLI's own words.
_BY_WORDS: tuple[tuple[re.Pattern[str], type[ApiError]], ...] = (
    (re.compile(r"too long|context (?:window|limit)|exceeds? the (?:context|maximum)", re.IGNORECASE), ContextOverflow),
    (re.compile(r"credit balance|billing", re.IGNORECASE), BillingError),
    (re.compile(r"overloaded", re.IGNORECASE), Overloaded),
    (
        re.compile(r"connect|network|fetch failed|socket|timed? ?out|ECONN|ENOTFOUND|EAI_AGAIN|stream", re.IGNORECASE),
        NetworkError,
    ),
    (re.compile(r"api key|/login|authenticat|credential", re.IGNORECASE), AuthError),
)


def api_failure(
    text: str, *, kind: str | None = None, api_type: str | None = None, http_status: int | None = None
) -> ApiError:
    """The error for a call of the API that failed for good.

    Args:
        text: The CLI's words for it; they go to stderr only.
        kind: The CLI's name for it: the result's ``api_error`` or ``AssistantMessage.error``.
        api_type: The API's name for it.
        http_status: The API's HTTP status.
    """
    if http_status is None and (found := _HTTP_STATUS.search(text)):
        http_status = int(found[1])
    if http_status is not None and not 100 <= http_status <= 599:  # noqa: PLR2004 the range of HTTP statuses
        http_status = None
    return _failure_class(text, kind, api_type, http_status)(cause=text, http_status=http_status)


def _failure_class(text: str, kind: str | None, api_type: str | None, http_status: int | None) -> type[ApiError]:
    by_words = next((error for pattern, error in _BY_WORDS if pattern.search(text)), None)
    bad_request = http_status == 400 or (http_status is None and "invalid_request" in f"{api_type} {kind}")  # noqa: PLR2004
    if bad_request and by_words in (ContextOverflow, BillingError):
        return by_words
    if http_status in _BY_STATUS:
        return _BY_STATUS[http_status]
    if http_status is not None and http_status >= 500:  # noqa: PLR2004 an HTTP status
        return ServerError
    if api_type in _BY_TYPE:
        return _BY_TYPE[api_type]
    if kind in _BY_KIND and _BY_KIND[kind] is not ServerError:
        return _BY_KIND[kind]
    return by_words or ServerError


def retry_code(http_status: object, kind: str | None) -> str:
    """The ``error.code`` that a retried call would have ended with."""
    status = http_status if isinstance(http_status, int) else None
    if status is None and kind in (None, "unknown", "server_error"):
        return NetworkError.code
    return _failure_class("", kind, None, status).code


def cli_failure(exit_status: int | None, stderr_tail: str) -> WorkerError:
    """The error for a CLI that ended without a result.

    Args:
        exit_status: Its exit status, negative for a signal, None if unknown.
        stderr_tail: The end of what it wrote to stderr.
    """
    cause = f"the CLI ended with status {exit_status}: {stderr_tail}"
    if re.search(r"No conversation found", stderr_tail):
        return SessionNotFound(cause=cause)
    if re.search(r"Session ID .* is already in use", stderr_tail):
        return SessionExists(cause=cause)
    if NO_SANDBOX in stderr_tail:
        return SandboxUnavailable(cause=cause)
    if "--json-schema is not a valid JSON Schema" in stderr_tail:
        return OutputSchemaUnusable(cause=cause)
    return CliCrashed(cause=cause)
