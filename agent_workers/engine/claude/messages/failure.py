"""Maps failures of the API and of the CLI to the contract's errors."""

from __future__ import annotations

import re

from agent_workers.errors import (
    ApiError,
    AuthError,
    BillingError,
    CliCrashed,
    ContextOverflow,
    GatewayDown,
    GatewayError,
    ModelNotFound,
    NetworkError,
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
    409: ServerError,
    413: ContextOverflow,
    425: ServerError,
    429: RateLimited,
    529: Overloaded,
}
# These mean the same from the API and from a gateway before it.
_FROM_ANYBODY = (429, 529)
_PASSING = (408, 409, 425)
# The API's own error types: the only way in which a stream that has begun can report an error.
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
# The open sets of AssistantMessage.error and of the result's api_error.
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
# A stream without a single event is a page from a gateway, with status 200.
_NO_STREAM = re.compile(r"stream ended without receiving any events|redirect", re.IGNORECASE)
# Errors of Amazon's and Google's APIs have no type; these words are typical of them.
_OTHER_CLOUD = re.compile(r"security token|arn:aws|bedrock|aiplatform|googleapis", re.IGNORECASE)
# The CLI's words where it called no API; its advice, /login, is for a person at its own prompt.
_NO_CREDENTIAL = re.compile(r"^Not logged in\b")
_NONE_SET = "There is no credential for the model's API on this host. The operator must set one."
# What neither status nor kind says: the API's and the CLI's own words.
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
    """Returns the error for a call of the API that failed for good.

    Args:
        text: The CLI's words for it, for stderr only.
        kind: The CLI's name for it: the result's ``api_error`` or ``AssistantMessage.error``.
        api_type: The API's name for it.
        http_status: The API's HTTP status.
    """
    if _NO_CREDENTIAL.search(text):
        return AuthError(_NONE_SET, cause="no credential is set and there is no login: see agent-workers doctor")
    if http_status is None and (found := _HTTP_STATUS.search(text)):
        http_status = int(found[1])
    if http_status is not None and not 100 <= http_status <= 599:  # noqa: PLR2004 the range of HTTP statuses
        http_status = None
    return _failure_class(text, kind, api_type, http_status)(cause=text, http_status=http_status)


def _failure_class(text: str, kind: str | None, api_type: str | None, http_status: int | None) -> type[ApiError]:
    by_words = next((error for pattern, error in _BY_WORDS if pattern.search(text)), None)
    if http_status is not None:
        found = _by_status(http_status, api_type) if _is_the_apis(text, api_type) else _by_foreign_status(http_status)
        explains = http_status == 400 and by_words in (ContextOverflow, BillingError)  # noqa: PLR2004 an HTTP status
        return by_words if by_words and explains else found
    if api_type in _BY_TYPE:
        return _worded(_BY_TYPE[api_type], by_words)
    if api_type is None and _NO_STREAM.search(text):
        return GatewayError
    if kind in _BY_KIND and _BY_KIND[kind] is not ServerError:
        return _worded(_BY_KIND[kind], by_words)
    return by_words or ServerError


def _worded(found: type[ApiError], by_words: type[ApiError] | None) -> type[ApiError]:
    """Returns the error that the words name where the API refused the request: its type alone does not say why."""
    return by_words if found is RequestRejected and by_words in (ContextOverflow, BillingError) else found


def _is_the_apis(text: str, api_type: str | None) -> bool:
    """Tells whether the API itself wrote the error: only then the CLI finds the error's type."""
    return api_type is not None or _OTHER_CLOUD.search(text) is not None


def _by_status(http_status: int, api_type: str | None) -> type[ApiError]:
    if http_status in _BY_STATUS:
        return _BY_STATUS[http_status]
    if http_status >= 500:  # noqa: PLR2004 an HTTP status
        return ServerError
    by_type = _BY_TYPE.get(api_type or "", RequestRejected)
    return RequestRejected if by_type.retryable else by_type  # any other 4xx would fail again


def _by_foreign_status(http_status: int) -> type[ApiError]:
    if http_status in _FROM_ANYBODY:
        return _BY_STATUS[http_status]
    return GatewayDown if http_status in _PASSING or http_status >= 500 else GatewayError  # noqa: PLR2004 likewise


def retry_code(http_status: object, kind: str | None) -> str:
    """Returns the ``error.code`` that a retried call would have ended with."""
    status = http_status if isinstance(http_status, int) else None
    if status is None and kind in (None, "unknown", "server_error"):
        return NetworkError.code
    if status is None:
        return _failure_class("", kind, None, None).code
    return _by_status(status, None).code  # only the end says whose error it was


def cli_failure(exit_status: int | None, stderr_tail: str) -> WorkerError:
    """Returns the error for a CLI that ended without a result.

    Args:
        exit_status: Its exit status, negative for a signal, None if unknown.
        stderr_tail: The end of what it wrote to stderr.
    """
    cause = f"the CLI ended with status {exit_status}: {stderr_tail or 'it wrote nothing to stderr'}"
    if re.search(r"No conversation found", stderr_tail):
        return SessionNotFound(cause=cause)
    if re.search(r"Session ID .* is already in use", stderr_tail):
        return SessionExists(cause=cause)
    if NO_SANDBOX in stderr_tail:
        return SandboxUnavailable(cause=cause)
    return CliCrashed(cause=cause)
