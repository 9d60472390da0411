"""The API over HTTP: one call gives the events of a streamed message, or one of the contract's errors."""

from __future__ import annotations

import json
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

import anyio
import httpx2

from agent_workers.engine.messages.failures import failure_of, foreign, reported_failure, told_as_network
from agent_workers.engine.messages.pace import Pace
from agent_workers.engine.messages.pools import Pools
from agent_workers.engine.messages.sse import EventStream, EventTooLong
from agent_workers.errors import AnswerUnreadable, GatewayError, NetworkError
from agent_workers.wire import dump

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from agent_workers.engine.messages.access import Access
    from agent_workers.engine.messages.pace import Call
    from agent_workers.errors import ApiError

Event = dict[str, Any]

MESSAGES_PATH = "/v1/messages"
SESSION_HEADER = "x-agent-workers-session"
_DRAIN_S = 0.2
_OK = 200


class Api:
    """An account at the API, with its connections. It is entered before the first call.

    Args:
        access: The account.
        pace: What is known of its limits; shared by all who call it.
        connections: How many calls may be under way at once.

    Attributes:
        pools: The connections.
        places: Those for calls, so that a run knows whether it waits for one.
    """

    def __init__(self, access: Access, pace: Pace | None = None, *, connections: int = 4) -> None:
        self.access = access
        self.pace = pace or Pace()
        self.pools = Pools(access, connections)
        self.places = anyio.Semaphore(connections)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.pools.close()

    async def message(self, body: Mapping[str, Any], session_id: str, call: Call) -> AsyncGenerator[Event]:
        """Yields the events of a streamed message, as the API sends them.

        Args:
            body: The request, as the API takes it.
            session_id: The conversation, by which a log or a simulator tells runs apart.
            call: Its place among the calls of all.

        Raises:
            ApiError: The call has failed.
        """
        headers = {"content-type": "application/json", SESSION_HEADER: session_id}
        url = self.access.base_url + MESSAGES_PATH
        with told_as_network(self.access):
            async with self.pools.stream("POST", url, content=dump(body), headers=headers) as response:
                call.hear(response.headers)
                if response.status_code != _OK:
                    raise await self._refusal(response, call)
                async with aclosing(_events(response, self.access)) as events:
                    async for event in events:
                        yield event

    async def _refusal(self, response: httpx2.Response, call: Call) -> ApiError:
        failure = await failure_of(response, self.access)
        if failure.http_status in (429, 529):
            call.refuse(failure.retry_after_ms)
        return failure


async def _events(response: httpx2.Response, access: Access) -> AsyncGenerator[Event]:
    content_type = response.headers.get("content-type", "")
    if not content_type.lower().startswith("text/event-stream"):
        raise GatewayError(cause=f"status 200 and no stream, but {foreign(response, '', access)}")
    count = 0
    stream = EventStream()
    chunks = response.aiter_bytes()
    async with aclosing(chunks):
        async for chunk in chunks:
            for event in _decoded(stream, chunk):
                kind = event.get("type")
                if kind == "error":
                    raise reported_failure(event, "stream", access)
                count += 1
                yield event
                if kind == "message_stop":
                    await _drain(chunks)  # the connection serves the next call only if its answer was read to the end
                    return
    if not count:
        raise GatewayError(cause="the stream ended without an event")
    raise NetworkError(cause="the stream ended before the message did")


async def _drain(chunks: AsyncGenerator[bytes]) -> None:
    with anyio.move_on_after(_DRAIN_S), suppress(httpx2.HTTPError):
        async for _ in chunks:
            pass


def _decoded(stream: EventStream, chunk: bytes) -> Iterator[Event]:
    """Yields the events that a chunk completes."""
    try:
        for data in stream.push(chunk):
            event = json.loads(data.decode("utf-8", "replace"))
            if isinstance(event, dict):
                yield event
    except EventTooLong as error:
        raise AnswerUnreadable(cause=str(error)) from None
    except (ValueError, RecursionError):
        raise AnswerUnreadable(cause="an event of the stream is no JSON") from None
