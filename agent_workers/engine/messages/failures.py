"""Failed calls as errors of the contract, with what operators may read of them: no secret, and no foreign text."""

from __future__ import annotations

import json
import re
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any

import httpx2

from agent_workers.engine.answer.api_failure import BY_TYPE, by_foreign_status, by_status, explained
from agent_workers.engine.messages.limits import retry_after_ms
from agent_workers.errors import ApiError, GatewayError, NetworkError, ServerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.engine.messages.access import Access

_MOST_OF_AN_ERROR = 1 << 16
_FIRST_FAILURE, _LAST_STATUS = 400, 599
_NO_ADDRESS = (httpx2.InvalidURL, httpx2.UnsupportedProtocol)
_STATUS_OF = {"rate_limit_error": 429, "overloaded_error": 529}
"""The statuses of errors that come when there has been another already; as the engine agent tells them."""
_TITLE = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)


@contextmanager
def told_as_network(access: Access) -> Iterator[None]:
    """Turns what breaks a call into the contract's errors.

    Raises:
        GatewayError: The base URL leads nowhere.
        NetworkError: The connection has failed.
    """
    try:
        yield
    except _NO_ADDRESS as error:
        raise GatewayError(cause=f"ANTHROPIC_BASE_URL is no address: {type(error).__name__}") from error
    except httpx2.HTTPError as error:
        raise NetworkError(cause=f"{type(error).__name__}: {access.shown(str(error))}") from error


async def failure_of(response: httpx2.Response, access: Access) -> ApiError:
    """Returns the error for an answer that is no success."""
    status, text = response.status_code, await _beginning(response)
    try:
        kind, words = _told(json.loads(text))
    except (ValueError, RecursionError):
        kind, words = None, ""
    told = f"{access.shown(kind)}: {access.shown(words)}" if kind else foreign(response, text, access)
    cause = f"status {status}: {told}"
    if status < _FIRST_FAILURE:
        return GatewayError(cause=cause)
    found = explained(by_status(status, kind), words) if kind else by_foreign_status(status)
    http_status = status if status <= _LAST_STATUS else None  # some invent others
    return found(cause=cause, http_status=http_status, retry_after_ms=retry_after_ms(response.headers))


def foreign(response: httpx2.Response, text: str, access: Access) -> str:
    """Returns what is told of an answer that is not the API's: never its text, which may quote the request."""
    content_type = response.headers.get("content-type", "")
    title = _TITLE.search(text) if "html" in content_type.lower() else None
    named = f", titled {access.shown(' '.join(title[1].split()))}" if title else ""
    length = f", {len(text)} characters" if text else ""
    return f"an answer that is not the API's: {access.shown(content_type) or 'no content type'}{length}{named}"


def reported_failure(event: dict[str, Any], where: str, access: Access) -> ApiError:
    """Returns the error that the API reports in a stream or a batch.

    Args:
        event: The report.
        where: Where it stands.
        access: The account.
    """
    kind, words = _told(event)
    found = explained(BY_TYPE.get(kind or "", ServerError), words)
    cause = f"in the {where}: {access.shown(kind or 'an error of no type')}: {access.shown(words)}"
    return found(cause=cause, http_status=_STATUS_OF.get(kind or ""))


async def _beginning(response: httpx2.Response) -> str:
    found = bytearray()
    async with aclosing(response.aiter_bytes()) as chunks:
        async for chunk in chunks:
            found += chunk
            if len(found) >= _MOST_OF_AN_ERROR:
                break
    return found.decode("utf-8", "replace")


def _told(document: object) -> tuple[str | None, str]:
    """Returns type and words of an error in the API's shape; None where it is somebody else's."""
    error = document.get("error") if isinstance(document, dict) and document.get("type") == "error" else None
    if not isinstance(error, dict) or not isinstance(error.get("type"), str):
        return None, ""
    return error["type"], str(error.get("message", ""))
