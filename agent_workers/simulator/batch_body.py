"""Checks the body of a request for a batch, and says what is wrong with it in the API's words."""

import re
from collections.abc import Iterator
from typing import Any

_MOST = 100_000
_LONGEST_ID = 64
_PATTERN = f"^[a-zA-Z0-9_-]{{1,{_LONGEST_ID}}}$"
_ID = re.compile(_PATTERN.removesuffix("$") + r"\Z")


class RefusedBatchError(ValueError):
    """Raised when the API would refuse a batch as a whole. The text is what it would say."""


def requests_of(body: object) -> list[tuple[str, Any]]:
    """Returns the ids and the parameters of the requests.

    The parameters may be anything: a request with wrong ones fails alone.

    Raises:
        RefusedBatchError: The body has not 1 to 100,000 requests, or an id is missing, wrong or not unique.
    """
    if not isinstance(body, dict):
        raise RefusedBatchError("The request body is not valid JSON.")
    requests = body.get("requests")
    if not isinstance(requests, list):
        raise RefusedBatchError("requests: Input should be a valid list")
    if not requests:
        raise RefusedBatchError("requests: List should have at least 1 item after validation, not 0")
    if len(requests) > _MOST:
        raise RefusedBatchError(f"requests: List should have at most {_MOST} items after validation")
    return list(_unique(requests))


def _unique(requests: list[Any]) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for index, request in enumerate(requests):
        given = request if isinstance(request, dict) else {}
        custom_id = str(given.get("custom_id"))
        if problem := _problem(given.get("custom_id"), seen):
            raise RefusedBatchError(f"requests.{index}.custom_id: {problem}")
        seen.add(custom_id)
        yield custom_id, given.get("params")


def _problem(custom_id: object, seen: set[str]) -> str | None:
    if not isinstance(custom_id, str):
        return "Input should be a valid string"
    if len(custom_id) > _LONGEST_ID:
        return f"String should have at most {_LONGEST_ID} characters"
    if not _ID.match(custom_id):
        return f"String should match pattern {_PATTERN!r}"
    return f"Duplicate custom_id {custom_id!r}" if custom_id in seen else None
