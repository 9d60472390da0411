"""The lines of a batch, read one at a time: however many there are, few are in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from anyio import to_thread

from agent_workers.batch.item import Line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MAX_LINE = 32 << 20
"""Bytes of one request, as for a worker."""


async def read_lines(file: BinaryIO) -> AsyncIterator[Line]:
    """Yields the lines that are not blank. Of a line that is too long, only its beginning, which is no JSON."""
    number = 0
    while data := await to_thread.run_sync(file.readline, MAX_LINE + 1, abandon_on_cancel=True):
        number += 1
        begin = data
        while not data.endswith(b"\n") and len(data) > MAX_LINE:  # its rest
            data = await to_thread.run_sync(file.readline, MAX_LINE + 1, abandon_on_cancel=True)
        if begin.strip():
            yield Line(number, begin.removesuffix(b"\n") if len(begin) <= MAX_LINE else begin[:64])
