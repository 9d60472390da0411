"""A connection to the pool until it is handed to a worker: its first line and its request, within bounds."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import anyio

from agent_workers.chain import is_on
from agent_workers.ending import failed
from agent_workers.errors import InvalidRequest
from agent_workers.pool.hello import LONGEST, Hello, parse_hello
from agent_workers.pool.users import Peer, peer_of
from agent_workers.wire import Encoder

if TYPE_CHECKING:
    from agent_workers.errors import WorkerError
    from agent_workers.pool.room import Room

MAX_REQUEST = 32 << 20
_FREE = 1 << 17
"""Bytes of a request for which there is always room."""
_CHUNK = 1 << 16
_WRITE_S = 1
_LINGER_S = 0.5


class Asked(NamedTuple):
    """What a client has asked for.

    Attributes:
        hello: Its first line.
        size: Bytes of the request.
        file: The descriptor of a file in memory with the request, and what has come behind it.
    """

    hello: Hello
    size: int
    file: int


class Caller:
    """A client that has connected.

    Args:
        connection: Its connection.
        room: Where what clients send is kept.
        patience_s: Seconds that it has to say all that it wants.

    Attributes:
        has_asked: Whether it has said all that it wants.
        scope: What is done for it.
        refusal: Why that was cancelled.
    """

    def __init__(self, connection: socket.socket, room: Room, patience_s: float) -> None:
        self.connection = connection
        self.accepted = time.monotonic()
        self.has_asked = False
        self.refusal: WorkerError | None = None
        self.scope = anyio.CancelScope()
        self.peer: Peer = peer_of(connection)
        self._room = room
        self._patience_s = patience_s
        self._held = 0
        self._file: int | None = None
        connection.setblocking(False)

    async def ask(self) -> Asked | bytes | None:
        """Reads what it wants; the beginning of a request over HTTP where it is that, None where it has gone.

        Raises:
            InvalidRequest: What comes is not what the protocol says, or does not come.
        """
        with anyio.move_on_after(self._patience_s):
            asked = await self._read()
            self.has_asked = True
            return asked
        told = f"no request came within {self._patience_s:g} seconds: a first line to the pool, and then the request"
        raise InvalidRequest(f"The request is not complete: {told}.", cause=told)

    async def _read(self) -> Asked | bytes | None:
        line, rest = b"", b""
        while b"\n" not in line:
            if len(line) > LONGEST:
                raise InvalidRequest(cause=f"the first line to the pool is longer than {LONGEST} bytes")
            if not (chunk := await self._receive()):
                return None
            line += chunk
        if line.startswith(b"GET "):
            return line
        line, _, rest = line.partition(b"\n")
        hello = parse_hello(line)
        if hello.status:
            return Asked(hello, 0, -1)
        if hello.size is not None and hello.size > MAX_REQUEST:
            raise _too_large()
        self._file = os.memfd_create("request", os.MFD_CLOEXEC)
        size = await self._keep(self._file, rest, hello.size)
        return None if size is None else Asked(hello, size, self._file)

    async def _keep(self, file: int, chunk: bytes, wanted: int | None) -> int | None:
        """Keeps what comes until the request is whole; returns its size, None where the client has gone."""
        length = 0
        while True:
            if length + len(chunk) > _FREE:
                await self._take_room(len(chunk))
            os.write(file, chunk)
            if wanted is None and (end := chunk.find(b"\n")) >= 0:
                return length + end + 1
            length += len(chunk)
            if wanted is not None and length >= wanted:
                return wanted
            if length > MAX_REQUEST:
                raise _too_large()
            if not (chunk := await self._receive()):
                return None

    async def _take_room(self, size: int) -> None:
        await self._room.take(size)
        self._held += size

    async def _receive(self) -> bytes:
        while True:
            try:
                return self.connection.recv(_CHUNK)
            except BlockingIOError:
                await anyio.wait_readable(self.connection)
            except OSError:
                return b""

    def drop(self, refusal: WorkerError) -> None:
        """Ends what is done for it."""
        self.refusal = refusal
        self.scope.cancel()

    async def refuse(self, error: WorkerError) -> None:
        """Tells why nothing runs, in the form of a run."""
        encoder = Encoder(f"refused-{os.urandom(6).hex()}", chained=is_on(os.environ))
        lines = [*encoder.lines(failed(error).to_wire()), b'{"pool": 1, "exit": %d}\n' % error.exit_status]
        await self.answer(b"".join(lines))
        with anyio.move_on_after(_LINGER_S), suppress(OSError):  # who still writes meets no broken pipe, and reads it
            self.connection.shutdown(socket.SHUT_WR)
            left = MAX_REQUEST
            while left > 0 and (chunk := await self._receive()):
                left -= len(chunk)

    async def answer(self, data: bytes) -> None:
        """Writes a last word; a client that does not take it does not get it."""
        view = memoryview(data)
        with anyio.move_on_after(_WRITE_S), suppress(OSError):
            while view:
                try:
                    view = view[self.connection.send(view) :]
                except BlockingIOError:
                    await anyio.wait_writable(self.connection)

    def close(self) -> None:
        """Closes this process's end, and forgets what was read."""
        self.connection.close()
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._room.leave(self._held)
        self._held = 0


def _too_large() -> InvalidRequest:
    words = f"the request is larger than {MAX_REQUEST} bytes"
    return InvalidRequest(f"The request is not valid: {words}.", cause=words)
