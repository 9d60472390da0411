"""What takes long, done for many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class _Turn:
    def __init__(self) -> None:
        self.is_done = False
        self.fault: Exception | None = None


class Together:
    """Does one thing for all who have come while it was being done before.

    Args:
        act: Does it.
    """

    def __init__(self, act: Callable[[], Awaitable[None]]) -> None:
        self._act = act
        self._lock = anyio.Lock()
        self._next = _Turn()

    async def done(self) -> None:
        """Returns once it was done, by whomever, from its beginning to its end after this call.

        Raises:
            Exception: What ``act`` has raised then.
        """
        turn = self._next
        async with self._lock:
            if turn.fault:
                raise turn.fault
            if turn.is_done:
                return
            self._next = _Turn()
            try:
                await self._act()
            except Exception as fault:
                turn.fault = fault
                raise
            turn.is_done = True
