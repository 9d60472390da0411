"""The lines of a batch, read a few at a time: however many there are, few are in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import CapacityLimiter, to_thread

from agent_workers.batch.item import Line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from io import BufferedIOBase

MAX_LINE = 32 << 20
"""Bytes of one request, as for a worker."""
_CHUNK = 1 << 16
_SHOWN = 64


async def read_lines(file: BufferedIOBase) -> AsyncIterator[Line]:
    """Yields the lines that are not blank. Of a line that is too long, only its beginning, which is no JSON."""
    thread, parts = CapacityLimiter(1), _Parts()
    while chunk := await to_thread.run_sync(file.read1, _CHUNK, abandon_on_cancel=True, limiter=thread):
        for line in parts.push(chunk):
            yield line
    for line in parts.push(b"\n"):
        yield line


class _Parts:
    """Numbers the lines of chunks that may end anywhere."""

    def __init__(self) -> None:
        self._number = 0
        self._begin: list[bytes] = []
        self._size = 0

    def push(self, chunk: bytes) -> Iterator[Line]:
        *ends, begin = chunk.split(b"\n")
        for end in ends:
            self._add(end)
            data = b"".join(self._begin)
            self._number += 1
            self._begin, is_whole, self._size = [], self._size <= MAX_LINE, 0
            if data.strip():
                yield Line(self._number, data if is_whole else data[:_SHOWN])
        self._add(begin)

    def _add(self, part: bytes) -> None:
        if self._size <= MAX_LINE:  # what comes behind is not looked at
            self._begin.append(part)
        self._size += len(part)
