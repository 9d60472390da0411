"""Reads the pipes of a process through the event loop."""

from __future__ import annotations

import asyncio
import os
from typing import IO

CHUNK = 1 << 16
"""Bytes that are read at once."""


class PipeReader(asyncio.StreamReader):
    """Reads a pipe through the event loop, and closes it with the loop, unless the pipe is left before."""

    def set_transport(self, transport: asyncio.BaseTransport) -> None:
        """Notes what reads the pipe; the event loop calls it."""
        super().set_transport(transport)
        self._reading = transport

    def leave(self) -> IO[bytes] | None:
        """Stops reading, and returns the pipe for another reader; None where it has ended.

        What was read and not yet taken can still be taken; then this reader is at its end.
        """
        if self._reading.is_closing() or not isinstance(self._reading, asyncio.ReadTransport):
            return None
        self._reading.pause_reading()
        left: IO[bytes] = os.fdopen(os.dup(self._reading.get_extra_info("pipe").fileno()), "rb", buffering=0)
        self._reading.close()
        self.feed_eof()
        return left


async def reader_of(pipe: IO[bytes]) -> PipeReader:
    """Reads a pipe through the event loop, registered once: anyio's ``wait_readable`` registers for each read."""
    reader = PipeReader(limit=CHUNK)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    return reader
