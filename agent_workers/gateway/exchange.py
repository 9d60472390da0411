"""One request and its answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import anyio
from starlette.datastructures import Headers, QueryParams

from agent_workers.gateway.connection import EXTENSION
from agent_workers.gateway.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from agent_workers.gateway.connection import Connection

_NO_STORE = {"cache-control": "no-store, private"}


class Gone(Exception):
    """Raised where whoever asked has gone."""


class Exchange:
    """A request, and what is sent back.

    Args:
        scope: The request, as ASGI has it.
        receive: Brings its body.
        send: Takes the answer.

    Attributes:
        headers: The request's.
        query: What follows ``?`` in its address.
        has_begun: Whether the answer has.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.headers = Headers(scope=scope)
        self.query = QueryParams(scope["query_string"])
        self.has_begun = False
        self._scope = scope
        self._receive = receive
        self._send = send
        self._is_read = scope["method"] in ("GET", "HEAD", "OPTIONS")

    @property
    def method(self) -> str:
        """The request's."""
        return str(self._scope["method"])

    @property
    def path(self) -> Mapping[str, str]:
        """The parts of the address that differ."""
        return cast("Mapping[str, str]", self._scope.get("path_params", {}))

    @property
    def connection(self) -> Connection:
        """What it has come on."""
        return cast("Connection", self._scope["extensions"][EXTENSION])

    @property
    def address(self) -> str:
        """Where it comes from, as far as proxies are believed."""
        client = self._scope.get("client")
        return str(client[0]) if client else "local"

    async def body(self, most: int, within_s: float) -> bytes:
        """Reads the request's body, and never more of it than is allowed.

        Raises:
            Refusal: It is too large, or does not come.
            Gone: Whoever sends it has gone.
        """
        said = self.headers.get("content-length", "")
        if said.isdigit() and int(said) > most:
            raise _too_large(most)
        parts, size, more = [], 0, True
        try:
            with anyio.fail_after(within_s):
                while more:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        raise Gone
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    more = message.get("more_body", False)
                    if size > most:
                        raise _too_large(most)
        except TimeoutError:
            raise Refusal(408, "timeout", "The body did not come in time.") from None
        self._is_read = True
        return b"".join(parts)

    async def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Sends the answer's head."""
        self.has_begun = True
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        if not self._is_read:  # what comes of the body must not be taken for another request
            raw.append((b"connection", b"close"))
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def send(self, body: bytes, *, more: bool = False) -> None:
        """Sends a part of the answer, or the rest of it."""
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def answer(
        self, status: int, body: bytes = b"", kind: str = "application/json", more: Mapping[str, str] | None = None
    ) -> None:
        """Sends a whole answer."""
        headers = {**_NO_STORE, **(more or {})}
        if status != 204:  # noqa: PLR2004
            headers |= {"content-type": kind, "content-length": str(len(body))}
        await self.begin(status, headers)
        await self.send(body)

    async def json(self, status: int, value: Any, more: Mapping[str, str] | None = None) -> None:
        """Answers with JSON."""
        await self.answer(status, json.dumps(value, separators=(",", ":")).encode(), more=more)

    async def refuse(self, refusal: Refusal) -> None:
        """Answers that the request is refused."""
        await self.json(refusal.status, refusal.body(), refusal.headers())


def _too_large(most: int) -> Refusal:
    return Refusal(413, "too_large", f"The body is too large: it may have {most} bytes.")
