"""How a reply goes over HTTP: streamed or in one piece, interrupted, or not at all."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import anyio
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from agent_workers.simulator.journal import Record
from agent_workers.simulator.reply import Frame, Reply, encoded, event
from agent_workers.simulator.scenario import Failure, Interruption, Message, Page

_STATUS_OF_ERROR = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "overloaded_error": 529,
}
_EVENT_STREAM = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]
_BEFORE_CUT_S = 0.5


class JSON(JSONResponse):
    """A JSON response that survives lone surrogates."""

    def render(self, content: object) -> bytes:
        """Returns the body."""
        return encoded(content)


def failure(status: int, error: str, message: str, headers: dict[str, str] | None = None) -> JSON:
    """Returns an HTTP error in the API's shape."""
    return JSON(error_body(error, message), status_code=status, headers=headers)


def error_body(error: str, message: str) -> dict[str, Any]:
    """Returns an error as the API writes it."""
    return {"type": "error", "error": {"type": error, "message": message}}


def failed(step: Failure) -> ASGIApp:
    """Returns the HTTP error of a step."""
    return failure(step.status, step.error, step.message, step.headers)


def page(step: Page) -> ASGIApp:
    """Returns what something else than the API answers."""
    return Response(step.body, step.status, step.headers, step.content_type)


def replied(step: Message, reply: Reply, record: Record, *, streaming: bool) -> ASGIApp:
    """Returns the reply of a step, interrupted as the step says."""
    if streaming:
        return Stream(reply.frames(step.cut), step.delay_ms / 1000, step.interruption, record)
    if step.interruption is None:
        whole = JSON(reply.message)
        return Late(whole, _time_of(reply, step), record) if step.delay_ms else whole
    if step.interruption.kind == "error":
        error = step.interruption.error
        return failure(_STATUS_OF_ERROR.get(error, 500), error, step.interruption.message)
    return Silence(record) if step.interruption.kind == "stall" else HeadersOnly(record)


def _time_of(reply: Reply, step: Message) -> float:
    """Returns the seconds from the first piece of a stream to its last."""
    deltas = sum(frame.is_delta for frame in reply.frames(step.cut))
    return max(0, deltas - 1) * step.delay_ms / 1000


@dataclass
class Late:
    """Answers in one piece, when a stream would have been complete."""

    answer: ASGIApp
    after_s: float
    record: Record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Waits, and answers if the client is still there."""

        async def play() -> None:
            await anyio.sleep(self.after_s)
            await self.answer(scope, receive, send)

        await while_listening(receive, self.record, play)


@dataclass
class Silence:
    """Sends nothing, until the client goes away."""

    record: Record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Waits."""
        await while_listening(receive, self.record, anyio.sleep_forever)


@dataclass
class HeadersOnly:
    """Promises a body and closes the connection instead."""

    record: Record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the headers."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        self.record.end("cut")


@dataclass
class Stream:
    """Sends server-sent events, each as a chunk of its own."""

    frames: Iterable[Frame]
    delay_s: float
    interruption: Interruption | None
    record: Record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends them, as long as the client is there."""
        await while_listening(receive, self.record, lambda: self._play(send))

    async def _play(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _EVENT_STREAM})
        limit = self.interruption.after if self.interruption else None
        for frame in self.frames:
            if frame.is_delta:
                # Without a delay too: the event loop may be shared with the client.
                await anyio.sleep(self.delay_s if self.record.deltas else 0)
                if self.record.deltas == limit:
                    break
                self.record.deltas += 1
            await write(send, frame.data)
        else:
            await write(send, b"", more=False)
            return
        await self._interrupt(send)

    async def _interrupt(self, send: Send) -> None:
        match self.interruption:
            case Interruption(kind="stall"):
                await anyio.sleep_forever()
            case Interruption(kind="error", error=error, message=message):
                await write(send, event("error", error={"type": error, "message": message}), more=False)
            case _:
                await cut(self.record)


async def cut(record: Record) -> None:
    """Leaves a response incomplete, upon which the server closes the connection."""
    # A client that learns of the cut forgets what it has received and not yet read.
    await anyio.sleep(_BEFORE_CUT_S)
    record.end("cut")


async def write(send: Send, data: bytes, *, more: bool = True) -> None:
    """Sends a part of a response's body."""
    await send({"type": "http.response.body", "body": data, "more_body": more})


async def while_listening(receive: Receive, record: Record, play: Callable[[], Awaitable[object]]) -> None:
    """Plays until its end, or until the client goes away."""
    async with anyio.create_task_group() as group:

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            record.end("client_gone")
            group.cancel_scope.cancel()

        group.start_soon(watch)
        await play()
        group.cancel_scope.cancel()
