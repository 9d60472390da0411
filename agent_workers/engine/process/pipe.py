"""Reads the pipes of a process through the event loop."""

from __future__ import annotations

import asyncio
from typing import IO

CHUNK = 1 << 16
"""Bytes that are read at once."""


async def reader_of(pipe: IO[bytes]) -> asyncio.StreamReader:
    """Reads a pipe through the event loop, registered once: anyio's ``wait_readable`` registers for each read."""
    reader = asyncio.StreamReader(limit=CHUNK)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    return reader
