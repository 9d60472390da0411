"""Which error a failed call of the model's API is, by its HTTP status, its own type and its words. Pure."""

from __future__ import annotations

import re

from agent_workers.errors import (
    ApiError,
    AuthError,
    BillingError,
    ContextOverflow,
    GatewayDown,
    GatewayError,
    ModelNotFound,
    NetworkError,
    Overloaded,
    RateLimited,
    RequestRejected,
    ServerError,
)

NO_CREDENTIAL = "There is no credential for the model's API on this host. The operator must set one."
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
BY_TYPE: dict[str, type[ApiError]] = {
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
# What neither status nor type says: the API's and the CLI's own words.
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


def by_words(text: str) -> type[ApiError] | None:
    """Returns the error that the words name; None where they name none."""
    return next((error for pattern, error in _BY_WORDS if pattern.search(text)), None)


def explained(found: type[ApiError], text: str) -> type[ApiError]:
    """Returns the error that the words name where the API refused the request: its type alone does not say why."""
    named = by_words(text)
    return named if found is RequestRejected and named in (ContextOverflow, BillingError) else found


def by_status(http_status: int, api_type: str | None) -> type[ApiError]:
    """Returns the error for a status of the API itself.

    Args:
        http_status: An HTTP status of 400 or more.
        api_type: The type in the API's body, where it is known.
    """
    if http_status in _BY_STATUS:
        return _BY_STATUS[http_status]
    if http_status >= 500:  # noqa: PLR2004 an HTTP status
        return ServerError
    by_type = BY_TYPE.get(api_type or "", RequestRejected)
    return RequestRejected if by_type.retryable else by_type  # any other 4xx would fail again


def by_foreign_status(http_status: int) -> type[ApiError]:
    """Returns the error for a status of something between this host and the API, or in its place."""
    if http_status in _FROM_ANYBODY:
        return _BY_STATUS[http_status]
    return GatewayDown if http_status in _PASSING or http_status >= 500 else GatewayError  # noqa: PLR2004 likewise
