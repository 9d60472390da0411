"""Writes to the CLI's stdin while it runs: the prompt, and control messages."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class CliStdin:
    """Writes to the CLI, one message after the other.

    Args:
        stdin: The CLI's stdin, which never blocks.
        unsent: The part of the CLI's first input that has not been written yet.
        held: The prompt, where the SDK must speak to the CLI first; else empty.

    Attributes:
        prompted: Set once the CLI has its prompt.
    """

    def __init__(self, stdin: IO[bytes], unsent: bytes, held: bytes) -> None:
        self.prompted = anyio.Event()
        self._stdin = stdin
        self._unsent = unsent
        self._held = held
        self._writing = anyio.Lock(fast_acquire=True)

    @property
    def holds_prompt(self) -> bool:
        """Whether the prompt still waits for the SDK, so that the agent has not been asked anything."""
        return bool(self._held) and not self.prompted.is_set()

    async def send_prompt(self, allow: Callable[[], Awaitable[object]]) -> None:
        """Writes what is left of the first input.

        Args:
            allow: Returns once a held prompt may follow.
        """
        if self._unsent:
            await self.write(self._unsent)
        if self._held:
            await allow()
            await self.write(self._held)
        self.prompted.set()

    async def write(self, data: bytes) -> None:
        """Writes all of it, or as much as the CLI takes before it ends."""
        view = memoryview(data)
        async with self._writing:
            while view:
                try:
                    view = view[os.write(self._stdin.fileno(), view) :]
                except BlockingIOError:
                    await anyio.wait_writable(self._stdin.fileno())
                except (BrokenPipeError, ValueError):
                    return  # the CLI has ended; its output says why
