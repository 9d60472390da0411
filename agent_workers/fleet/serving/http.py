"""An HTTP server for a few short answers, such as health and metrics: GET and HEAD, one request a connection."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import anyio

if TYPE_CHECKING:
    from anyio.abc import ByteStream, Listener

_MOST_HEAD = 8 * 1024
_WITHIN_S = 10.0
"""How long a connection may take, from its beginning to its end."""
_AT_ONCE = 32
_MODE = 0o660  # of a Unix socket: the group may ask too
_HEAD = re.compile(rb"(GET|HEAD) (/[!-~]{0,500}) HTTP/1\.[01]\r\n")
_ACCEPT = re.compile(rb"^accept:[ \t]*([ -~]*?)[ \t]*\r$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request.

    Attributes:
        path: Of its address, without what follows ``?``.
        accept: Which kinds of answers it wants.
    """

    path: str
    accept: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back.

    Attributes:
        body: Its text.
        status: Its HTTP status.
        kind: Its content type.
    """

    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    kind: str = "text/plain; charset=utf-8"


class Answering(Protocol):
    """Whatever has the answers."""

    async def answer(self, asked: Asked) -> Answer:
        """Answers a request."""


async def open_listener(address: str) -> Listener[ByteStream]:
    """Opens what ``serve`` serves.

    Args:
        address: ``HOST:PORT``, ``[HOST]:PORT`` or ``unix:PATH``.

    Raises:
        OSError: It cannot be opened.
    """
    kind, _, path = address.partition(":")
    if kind == "unix":
        return await anyio.create_unix_listener(path, mode=_MODE)
    host, _, port = address.rpartition(":")
    return await anyio.create_tcp_listener(local_host=host.strip("[]"), local_port=int(port))


async def serve(listener: Listener[ByteStream], answering: Answering) -> None:
    """Answers what comes, until it is cancelled."""
    places = anyio.CapacityLimiter(_AT_ONCE)

    async def handle(stream: ByteStream) -> None:
        async with stream, places:
            with suppress(anyio.BrokenResourceError, anyio.EndOfStream), anyio.move_on_after(_WITHIN_S):
                await stream.send(await _answer(await _head(stream), answering))

    await listener.serve(handle)


def forget(address: str) -> None:
    """Removes a Unix socket that was served."""
    kind, _, path = address.partition(":")
    if kind == "unix":
        Path(path).unlink(missing_ok=True)


async def _head(stream: ByteStream) -> bytes:
    """Returns a request's head; less than that where it is too long."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _MOST_HEAD:
        head += await stream.receive(_MOST_HEAD - len(head))
    return head


async def _answer(head: bytes, answering: Answering) -> bytes:
    found = _HEAD.match(head)
    if b"\r\n\r\n" not in head:
        said = Answer(b"The request's head is too long.\n", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    elif not found:
        said = Answer(b"Only GET and HEAD of a path are answered here.\n", HTTPStatus.BAD_REQUEST)
    else:
        accept = _ACCEPT.search(head)
        path = found[2].decode().partition("?")[0]
        said = await answering.answer(Asked(path, accept[1].decode() if accept else ""))
    lines = (
        f"HTTP/1.1 {said.status.value} {said.status.phrase}",
        f"Content-Type: {said.kind}",
        f"Content-Length: {len(said.body)}",
        "Cache-Control: no-store",
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode() + (
        b"" if found and found[1] == b"HEAD" else said.body
    )
