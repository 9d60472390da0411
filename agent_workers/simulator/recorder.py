"""The outermost layer of the app, which keeps the journal."""

import json
from uuid import uuid4

import anyio
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent_workers.simulator.address import MARK, unmarked
from agent_workers.simulator.journal import Journal

OWN = "/_simulator/"
"""The start of the simulator's own paths, which the journal leaves out."""
BESIDE = "simulator.headers"
"""The key in the scope of headers that an answer gets beside its own, ``{name: value}``."""


class Recorder:
    """Writes each request and its outcome into the journal. Adds the ``request-id`` header, and others of the scope."""

    def __init__(self, app: ASGIApp, journal: Journal) -> None:
        self.app = app
        self.journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, with its record and body in the scope."""
        path, scope["path"] = scope["path"], unmarked(scope["path"])
        scope["mark"] = "" if path == scope["path"] else MARK
        request = Request(scope, receive)
        body = _parsed(await request.body())
        scope["body"] = body
        if scope["path"].startswith(OWN):
            await self.app(scope, receive, send)
            return
        record = self.journal.open(scope["method"], scope["path"], dict(request.headers), body)
        scope["record"] = record

        async def write(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.journal.answer(record, message["status"])
                request_id = (b"request-id", b"req_sim_" + uuid4().hex.encode())
                message["headers"] = [*message["headers"], request_id, *_beside(scope, message)]
            elif not message.get("more_body"):
                # Set before sending, for a client that reads the journal as soon as it has the answer.
                record.end("answered")
            await send(message)

        try:
            await self.app(scope, receive, write)
        except anyio.get_cancelled_exc_class():
            record.end("stopped")
            raise
        finally:
            self.journal.close(record, "cut")


def _beside(scope: Scope, start: Message) -> list[tuple[bytes, bytes]]:
    own = {name for name, _ in start["headers"]}
    beside: dict[str, str] = scope.get(BESIDE, {})
    headers = {name.lower().encode(): value.encode() for name, value in beside.items()}
    return [(name, value) for name, value in headers.items() if name not in own]


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode("utf-8", "replace")
