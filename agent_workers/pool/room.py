"""The room for what clients have sent and no worker has taken yet."""

from __future__ import annotations

import anyio


class Room:
    """Bounds the bytes that are kept; who finds no room waits for it.

    Args:
        size: Bytes of it.
    """

    def __init__(self, size: int) -> None:
        self._left = size
        self._freed = anyio.Event()

    async def take(self, size: int) -> None:
        """Takes a part of it, once it is there."""
        while size > self._left:
            await self._freed.wait()
        self._left -= size

    def leave(self, size: int) -> None:
        """Gives a part of it back."""
        self._left += size
        self._freed.set()
        self._freed = anyio.Event()
