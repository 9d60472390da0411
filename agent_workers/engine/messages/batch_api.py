"""The provider's batch API: many messages at half the price, answered within a day."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import quote

from agent_workers.engine.messages.api import MESSAGES_PATH
from agent_workers.engine.messages.failures import failure_of, reported_failure, told_as_network
from agent_workers.errors import AnswerUnreadable
from agent_workers.wire import dump

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from agent_workers.engine.messages.access import Access
    from agent_workers.engine.messages.api import Api
    from agent_workers.errors import ApiError

_PATH = f"{MESSAGES_PATH}/batches"
_OK = 200
_PAGE = 100
_TIMEOUT_S = 120  # for one answer, but the stream of results

MOST_REQUESTS = 10_000
"""Requests that one batch gets here; the API takes 100,000."""
MOST_BYTES = 16 << 20
"""Bytes that one batch gets here; the API takes 256 MB."""


class ApiBatch(NamedTuple):
    """A batch, as the API has it.

    Attributes:
        id: Its id.
        has_ended: Whether its results can be read.
        requests: How many requests it has.
        created_at: RFC 3339.
        expires_at: RFC 3339; what is not answered by then is not answered at all.
    """

    id: str
    has_ended: bool
    requests: int
    created_at: str
    expires_at: str


class ApiResult(NamedTuple):
    """What has become of one request of a batch.

    Attributes:
        custom_id: The id that it was sent with.
        message: The model's message; None where there is none.
        error: Why there is none; None where it expired or was canceled.
    """

    custom_id: str
    message: dict[str, Any] | None = None
    error: ApiError | None = None


class BatchApi:
    """The batch API of an account.

    Args:
        api: The account's open connections.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    async def create(self, requests: Sequence[bytes]) -> ApiBatch:
        """Makes a batch.

        Args:
            requests: JSON objects with ``custom_id`` and ``params``.

        Raises:
            ApiError: There is none now, or after a ``NetworkError`` or ``ServerError`` perhaps one.
        """
        return _batch(await self._asked("POST", _PATH, b'{"requests":[' + b",".join(requests) + b"]}"))

    async def get(self, batch_id: str) -> ApiBatch:
        """Looks at a batch.

        Raises:
            ApiError: It cannot be looked at.
        """
        return _batch(await self._asked("GET", f"{_PATH}/{quote(batch_id, safe='')}"))

    async def latest(self) -> str | None:
        """Returns the id of the account's latest batch; None where it has none.

        Raises:
            ApiError: They cannot be listed.
        """
        page = await self._asked("GET", f"{_PATH}?limit=1")
        return next((_batch(each).id for each in page.get("data") or ()), None)

    async def recent(self, since: str, after: str | None) -> AsyncGenerator[ApiBatch]:
        """Yields the account's batches, the latest first, back to a time or to one of them.

        Args:
            since: RFC 3339 in UTC.
            after: Id of the batch that is not wanted any more, nor any before it.

        Raises:
            ApiError: They cannot be listed.
        """
        further = ""
        while True:
            page = await self._asked("GET", f"{_PATH}?limit={_PAGE}{further}")
            for each in page.get("data") or ():
                batch = _batch(each)
                if batch.id == after or batch.created_at[:19] < since[:19]:  # to the second: both are in UTC
                    return
                yield batch
            if not page.get("has_more") or not page.get("last_id"):
                return
            further = f"&after_id={quote(str(page['last_id']), safe='')}"

    async def results(self, batch_id: str) -> AsyncGenerator[ApiResult]:
        """Yields the results of a batch that has ended, in any order.

        Raises:
            ApiError: They cannot be read, or not to their end.
        """
        url = f"{self._api.access.base_url}{_PATH}/{quote(batch_id, safe='')}/results"
        with told_as_network(self._api.access):
            async with self._api.pools.stream("GET", url, timeout=_TIMEOUT_S) as response:
                if response.status_code != _OK:
                    raise await failure_of(response, self._api.access)
                async with aclosing(cast("AsyncGenerator[str]", response.aiter_lines())) as lines:
                    async for line in lines:
                        if line.strip():
                            yield _result(line, self._api.access)

    async def _asked(self, method: str, path: str, content: bytes | None = None) -> dict[str, Any]:
        url, headers = self._api.access.base_url + path, {"content-type": "application/json"} if content else {}
        try:
            with told_as_network(self._api.access):
                async with self._api.pools.stream(
                    method, url, content=content, headers=headers, timeout=_TIMEOUT_S
                ) as response:
                    if response.status_code != _OK:
                        raise await failure_of(response, self._api.access)
                    written = await response.aread()
            answer = json.loads(written)
        except (ValueError, RecursionError):
            raise AnswerUnreadable(cause=f"the answer to {method} {path} is no JSON") from None
        if not isinstance(answer, dict):
            raise AnswerUnreadable(cause=f"the answer to {method} {path} is no JSON object")
        return answer


async def replayed(message: dict[str, Any]) -> AsyncGenerator[dict[str, Any]]:
    """Yields a whole message as the events in which it would have been streamed."""
    usage = message.get("usage") or {}
    yield {"type": "message_start", "message": {**message, "content": [], "usage": usage}}
    for index, block in enumerate(message.get("content") or ()):
        yield {"type": "content_block_start", "index": index, "content_block": block}
        yield {"type": "content_block_stop", "index": index}
    stop = {"stop_reason": message.get("stop_reason")}
    yield {"type": "message_delta", "delta": stop, "usage": usage}
    yield {"type": "message_stop"}


async def failing(error: ApiError) -> AsyncGenerator[dict[str, Any]]:
    """Yields nothing: the call has failed before."""
    raise error
    yield {}


def request_line(custom_id: str, params: dict[str, Any]) -> bytes:
    """Returns a request of a batch as JSON."""
    return dump({"custom_id": custom_id, "params": params})


def _batch(answer: dict[str, Any]) -> ApiBatch:
    try:
        counts = answer.get("request_counts") or {}
        return ApiBatch(
            id=answer["id"],
            has_ended=answer["processing_status"] == "ended",
            requests=sum(count for count in counts.values() if isinstance(count, int)),
            created_at=str(answer.get("created_at", "")),
            expires_at=str(answer.get("expires_at", "")),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise AnswerUnreadable(cause=f"a batch has another form: {type(error).__name__}") from error


def _result(line: str, access: Access) -> ApiResult:
    """Reads one line of the results; one of another form is as none for its request, which is asked at once."""
    custom_id = ""
    try:
        found = json.loads(line)
        custom_id, result = str(found["custom_id"]), found["result"]
        if result["type"] == "succeeded":
            message = result["message"]
            return ApiResult(custom_id, message=message if isinstance(message, dict) else None)
        if result["type"] == "errored":
            told = {"type": "error", "error": result["error"].get("error")}
            return ApiResult(custom_id, error=reported_failure(told, "batch", access))
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        pass
    return ApiResult(custom_id)
