"""An API that answers what no simulator would: bytes as a test says them, one answer for each call."""

import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

Answer = Callable[[socket.socket], None]
"""Writes an answer to a connection, whose request has been read. What it leaves open stays open until the end."""

STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


@dataclass
class OddApi:
    """What it has been asked, and whom to answer what.

    Attributes:
        url: Where it is.
        heads: The request line and headers of each call.
        bodies: The body of each.
        connections: How many there were.
    """

    url: str
    answers: list[Answer]
    heads: list[dict[str, str]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    connections: int = 0

    def answer(self, connection: socket.socket) -> None:
        """Answers each call on a connection; the last answer counts for all later calls."""
        self.connections += 1
        reader = connection.makefile("rb")
        while head := _head(reader):
            self.heads.append(head)
            self.bodies.append(json.loads(reader.read(int(head["content-length"]))))
            answer = self.answers[min(len(self.heads), len(self.answers)) - 1]
            answer(connection)


def _head(reader: Any) -> dict[str, str]:
    first = reader.readline().decode().strip()
    found = {"": first} if first else {}
    while line := reader.readline().decode().strip():
        name, _, value = line.partition(":")
        found[name.lower()] = value.strip()
    return found


@contextmanager
def odd_api(*answers: Answer, tls: ssl.SSLContext | None = None) -> Iterator[OddApi]:
    """Serves until the block is left, encrypted with ``tls``."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):  # who asked has gone
                if tls:
                    with tls.wrap_socket(self.request, server_side=True) as connection:
                        api.answer(connection)
                else:
                    api.answer(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        scheme = "https" if tls else "http"
        api = OddApi(f"{scheme}://127.0.0.1:{server.server_address[1]}", list(answers))
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def sse(*events: dict[str, Any] | bytes) -> bytes:
    """Events of a stream, in one chunk."""
    lines = (each if isinstance(each, bytes) else json.dumps(each).encode() for each in events)
    return chunk(b"".join(b"data: %s\n\n" % line for line in lines))


def message(*blocks: dict[str, Any], stop_reason: str = "end_turn") -> list[dict[str, Any]]:
    """The events of a whole message, each block in one piece."""
    usage = {"input_tokens": 10, "output_tokens": 1}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {"id": "m", "model": "x", "usage": usage}}]
    for index, block in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": stop_reason}, "usage": {"output_tokens": 5}})
    return [*events, {"type": "message_stop"}]


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def says(*blocks: dict[str, Any], end: bytes = b"0\r\n\r\n", **more: Any) -> Answer:
    """Answers with a message; ``end`` closes its stream."""
    return lambda connection: connection.sendall(STREAM + sse(*message(*blocks, **more)) + end)


def raw(data: bytes, *, hang_up: bool = True) -> Answer:
    """Answers with these bytes, and closes the connection or says nothing more."""

    def write(connection: socket.socket) -> None:
        connection.sendall(data)
        if hang_up:
            connection.shutdown(socket.SHUT_RDWR)

    return write


def endless(head: bytes, piece: bytes) -> Answer:
    """Answers with the same piece again and again, until nobody reads it any more."""

    def write(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)

    return write
