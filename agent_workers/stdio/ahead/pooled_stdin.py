"""The connection of a client of the pool, in the place of stdin."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

from agent_workers.protocol.v1.problem import refuse
from agent_workers.stdio.stdin import Stdin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_FRAME = b'{"pool"'
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class PooledStdin(Stdin):
    """What a client sends: a request that has come already, and control messages.

    Args:
        name: The worker's name.
        request: The request.
        rest: What has been read behind it.
        control: Whether the client may send control messages; if not, it can only end the run.
    """

    def __init__(self, name: str, request: bytes, rest: bytes, *, control: bool) -> None:
        super().__init__(name)
        self._request = request
        self._is_controlled = control
        if rest:
            self._take(rest)

    def read_document(self) -> bytes:
        """Returns the request.

        Raises:
            RequestProblems: It is longer than ``max_request``.
        """
        if len(self._request) > self.max_request:
            refuse(self._too_large())
        return self._request

    def read_first_line(self) -> bytes:
        """Returns the request, likewise."""
        return self.read_document()

    async def control_lines(self, on_wait: Callable[[], None]) -> AsyncIterator[bytes | None]:
        """Yields the control messages; obeys the signals among them."""
        async for line in super().control_lines(on_wait):
            if line is not None and line.lstrip().startswith(_FRAME) and (number := _signal_in(line)):
                os.kill(os.getpid(), number)
            elif self._is_controlled:
                yield line


def _signal_in(line: bytes) -> int | None:
    try:
        number = json.loads(line).get("signal")
    except (ValueError, RecursionError):
        return None
    return number if number in _SIGNALS else None
