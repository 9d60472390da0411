"""Reads what the CLI writes to its stdout, message by message."""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from typing import IO, TYPE_CHECKING, Any

from anyio.lowlevel import checkpoint

from agent_workers.engine.process.pipe import CHUNK, reader_of
from agent_workers.errors import CliCrashed
from agent_workers.wire import LineFramer, LineTooLong

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

Message = dict[str, Any]

logger = logging.getLogger("agent_workers")

_MAX_MESSAGE = 64 << 20  # bytes of one message of the CLI; the SDK's own bound is 1 MiB, less than a large tool result
_REST_S = 0.02


class CliOutput:
    """The CLI's messages. A reader that stops loses none: the next one goes on from there.

    Args:
        stdout: The CLI's stdout.
    """

    def __init__(self, stdout: IO[bytes]) -> None:
        self._stdout = stdout
        self._framer = LineFramer(_MAX_MESSAGE)
        self._unread: deque[bytes] = deque()
        self._rested = time.monotonic()

    async def open(self) -> None:
        """Begins to read."""
        self._reader = await reader_of(self._stdout)

    async def messages(self) -> AsyncGenerator[Message]:
        """Yields the messages until the CLI closes its stdout.

        Raises:
            CliCrashed: A message is too long to read.
        """
        while True:
            while self._unread:
                if message := decoded(self._unread.popleft()):
                    yield message
            if time.monotonic() - self._rested > _REST_S:
                await checkpoint()  # a flood of messages must not delay a stop signal
                self._rested = time.monotonic()
            if not (chunk := await self._reader.read(CHUNK)):
                return
            try:
                self._unread += self._framer.push(chunk)
            except LineTooLong as error:
                raise CliCrashed(cause=f"the CLI wrote a message of more than {_MAX_MESSAGE} bytes") from error

    async def leave(self) -> IO[bytes] | None:
        """Stops reading, and returns the pipe for another reader; None where it has ended, or more was read."""
        left = self._reader.leave()
        if left and (self._unread or self._framer.rest() or await self._reader.read()):
            left.close()
            return None
        return left


def decoded(line: bytes) -> Message | None:
    """Returns the message of a line; None where it holds none."""
    if not line.startswith(b"{"):  # some builds write plain diagnostics to stdout
        return None
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        logger.warning("a line of %d bytes is not JSON", len(line))
        return None
    return message if isinstance(message.get("type"), str) else None
