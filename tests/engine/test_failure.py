"""Which error a failed call of the API is: every status, with every kind of body, as the CLI tells of them."""

import pytest

from agent_workers.engine.claude.messages.failure import api_failure
from agent_workers.errors import (
    ApiError,
    AuthError,
    BillingError,
    ContextOverflow,
    ModelNotFound,
    NetworkError,
    Overloaded,
    RateLimited,
    RequestRejected,
    ServerError,
)

STATUSES = range(400, 600)
WORTH_A_RETRY = {408, 409, 425, 429, *range(500, 600)}
# What the CLI makes of a body that is not the API's: the title of a page, the text, or a word for "empty".
FOREIGN = {
    "html": "502 Bad Gateway",
    "login page": "Please log in",
    "plain text": "upstream connect error or disconnect/reset before headers",
    "empty": "status code (no body)",
    "other json": "no Route matched with those values",
}
TYPES = [
    "invalid_request_error",
    "authentication_error",
    "permission_error",
    "not_found_error",
    "rate_limit_error",
    "overloaded_error",
    "api_error",
    "timeout_error",
    "an_error_of_tomorrow",
]
BY_STATUS = {
    400: RequestRejected,
    401: AuthError,
    402: BillingError,
    403: AuthError,
    404: ModelNotFound,
    408: NetworkError,
    413: ContextOverflow,
    429: RateLimited,
    500: ServerError,
    529: Overloaded,
}


def told(status: int, words: str) -> str:
    """The words of the CLI for a call that failed."""
    if status == 404:
        return "There's an issue with the selected model (claude-x). It may not exist or you may not have access to it."
    if status == 429:
        return f"API Error: Request rejected (429) · {words}"
    return f"{'Failed to authenticate. ' if status in (401, 403) else ''}API Error: {status} {words}"


def foreign(status: int, body: str) -> ApiError:
    return api_failure(told(status, FOREIGN[body]), kind="unknown", http_status=status)


@pytest.mark.parametrize("body", FOREIGN)
def test_a_status_with_a_body_that_is_not_the_apis_is_a_gateways(body: str) -> None:
    for status in STATUSES:
        error = foreign(status, body)
        assert (error.http_status, error.retryable) == (status, status in WORTH_A_RETRY)
        if status not in (429, 529):
            assert (status, error.code) == (status, "gateway")


@pytest.mark.parametrize("body", FOREIGN)
def test_too_many_requests_and_overload_mean_the_same_from_anybody(body: str) -> None:
    assert type(foreign(429, body)) is RateLimited
    assert type(foreign(529, body)) is Overloaded


@pytest.mark.parametrize("api_type", TYPES)
def test_a_status_with_a_body_of_the_apis_is_worth_a_retry_only_where_that_can_help(api_type: str) -> None:
    for status in STATUSES:
        error = api_failure(told(status, "It is so."), kind="unknown", api_type=api_type, http_status=status)
        assert (status, error.retryable) == (status, status in WORTH_A_RETRY)
        assert (status, error.code) != (status, "gateway")


@pytest.mark.parametrize("status", BY_STATUS)
def test_a_status_that_the_api_documents_has_its_own_code(status: int) -> None:
    assert type(api_failure(told(status, "So."), api_type="api_error", http_status=status)) is BY_STATUS[status]


@pytest.mark.parametrize("status", [405, 407, 410, 418, 422, 451])
def test_any_other_refusal_is_told_as_one(status: int) -> None:
    error = api_failure(told(status, "So."), api_type="invalid_request_error", http_status=status)
    assert type(error) is RequestRejected


@pytest.mark.parametrize("status", [300, 302, 303, 304, 307])
def test_a_redirect_that_leads_nowhere_is_a_gateways(status: int) -> None:
    error = foreign(status, "empty")
    assert (error.code, error.retryable) == ("gateway", False)


@pytest.mark.parametrize(
    "words",
    ["API Error: Stream ended without receiving any events", "API Error: Unable to connect to API (TooManyRedirects)"],
    ids=["a page with status 200", "redirects in a circle"],
)
def test_an_answer_that_is_no_stream_of_the_apis_is_a_gateways(words: str) -> None:
    error = api_failure(words, kind="unknown")
    assert (error.code, error.retryable) == ("gateway", False)


@pytest.mark.parametrize(
    "words",
    ["The security token included in the request is expired", "User: arn:aws:iam::1:user/x is not authorized"],
)
def test_the_api_of_another_cloud_which_names_no_types_is_no_gateway(words: str) -> None:
    assert type(api_failure(told(403, words), http_status=403)) is AuthError


def test_an_error_within_a_stream_has_a_type_and_no_status() -> None:
    assert type(api_failure("Overloaded", api_type="overloaded_error")) is Overloaded
    assert type(api_failure("prompt is too long", api_type="invalid_request_error")) is ContextOverflow


@pytest.mark.parametrize("body", FOREIGN)
def test_no_message_repeats_what_was_answered(body: str) -> None:
    for status in STATUSES:
        assert FOREIGN[body] not in foreign(status, body).message, status
