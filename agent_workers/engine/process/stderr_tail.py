"""The end of what a process writes to stderr, which tells why it has ended."""

from __future__ import annotations

from typing import IO

import anyio

from agent_workers.engine.process.pipe import CHUNK, reader_of

_MOST = 8 << 10


class StderrTail:
    """Reads the stderr of a process and keeps its end.

    Args:
        stderr: The stderr of the process.

    Attributes:
        ended: Set once the process has closed it.
    """

    def __init__(self, stderr: IO[bytes]) -> None:
        self.ended = anyio.Event()
        self._stderr = stderr
        self._kept = b""

    async def keep(self) -> None:
        """Reads until the process closes its stderr."""
        stderr = await reader_of(self._stderr)
        while chunk := await stderr.read(CHUNK):
            self._kept = (self._kept + chunk)[-_MOST:]
        self.ended.set()

    @property
    def text(self) -> str:
        """The last of what was written so far."""
        return self._kept.decode("utf-8", "replace").strip()
