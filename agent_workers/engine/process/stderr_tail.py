"""The end of what a process writes to stderr, which tells why it has ended."""

from __future__ import annotations

from typing import IO

import anyio

from agent_workers.engine.process.pipe import CHUNK, PipeReader, reader_of

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
        self._reader: PipeReader | None = None

    async def keep(self) -> None:
        """Reads until the process closes its stderr."""
        self._reader = stderr = await reader_of(self._stderr)
        while chunk := await stderr.read(CHUNK):
            self._kept = (self._kept + chunk)[-_MOST:]
        self.ended.set()

    def leave(self) -> IO[bytes] | None:
        """Stops reading, and returns the pipe for another reader; None where it has ended."""
        return self._reader.leave() if self._reader else None

    @property
    def text(self) -> str:
        """The last of what was written so far."""
        return self._kept.decode("utf-8", "replace").strip()
