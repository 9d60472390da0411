"""Maps failures of the API and of the CLI to the contract's errors."""

from __future__ import annotations

import re

from agent_workers.engine.answer.api_failure import (
    BY_TYPE,
    NO_CREDENTIAL,
    by_foreign_status,
    by_status,
    by_words,
    explained,
)
from agent_workers.errors import (
    ApiError,
    AuthError,
    BillingError,
    CliCrashed,
    ContextOverflow,
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
        return AuthError(NO_CREDENTIAL, cause="no credential is set and there is no login: see agent-workers doctor")
    if http_status is None and (found := _HTTP_STATUS.search(text)):
        http_status = int(found[1])
    if http_status is not None and not 100 <= http_status <= 599:  # noqa: PLR2004 the range of HTTP statuses
        http_status = None
    return _failure_class(text, kind, api_type, http_status)(cause=text, http_status=http_status)


def _failure_class(text: str, kind: str | None, api_type: str | None, http_status: int | None) -> type[ApiError]:
    named = by_words(text)
    if http_status is not None:
        found = by_status(http_status, api_type) if _is_the_apis(text, api_type) else by_foreign_status(http_status)
        explains = http_status == 400 and named in (ContextOverflow, BillingError)  # noqa: PLR2004 an HTTP status
        return named if named and explains else found
    if api_type in BY_TYPE:
        return explained(BY_TYPE[api_type], text)
    if api_type is None and _NO_STREAM.search(text):
        return GatewayError
    if kind in _BY_KIND and _BY_KIND[kind] is not ServerError:
        return explained(_BY_KIND[kind], text)
    return named or ServerError


def _is_the_apis(text: str, api_type: str | None) -> bool:
    """Tells whether the API itself wrote the error: only then the CLI finds the error's type."""
    return api_type is not None or _OTHER_CLOUD.search(text) is not None


def retry_code(http_status: object, kind: str | None) -> str:
    """Returns the ``error.code`` that a retried call would have ended with."""
    status = http_status if isinstance(http_status, int) else None
    if status is None and kind in (None, "unknown", "server_error"):
        return NetworkError.code
    if status is None:
        return _failure_class("", kind, None, None).code
    return by_status(status, None).code  # only the end says whose error it was


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
