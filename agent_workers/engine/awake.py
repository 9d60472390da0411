"""Deadlines that count the time in which this process was awake.

A process that was stopped (Ctrl-Z, ``docker pause``, a debugger) finds all its timers due when it goes on, although the
others may have written to its pipes meanwhile. So a pause does not count, and after one there is time to read before a
deadline passes. (While the machine sleeps, Linux stops the clock by itself.)
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_STEP_S = 0.5
_LATE_S = 0.25  # a process that wakes up this late was stopped, or got no processor time


@contextmanager
def move_on_after(seconds: float) -> Iterator[anyio.CancelScope]:
    """Works like ``anyio.move_on_after``, in seconds awake."""
    with anyio.CancelScope() as scope:
        countdown = _Countdown(seconds, scope.cancel)
        try:
            yield scope
        finally:
            countdown.stop()


async def sleep(seconds: float) -> None:
    """Sleeps for a number of seconds awake."""
    with move_on_after(seconds):
        await anyio.sleep_forever()


class _Countdown:
    """Calls ``act`` after a number of seconds, counted in short steps: a step that took longer counts as one."""

    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._left = max(0.0, seconds)
        self._act = act
        self._wait(min(self._left, _STEP_S))

    def stop(self) -> None:
        self._timer.cancel()

    def _wait(self, step: float) -> None:
        self._left -= step
        self._due = self._loop.time() + step
        self._timer = self._loop.call_at(self._due, self._wake)

    def _wake(self) -> None:
        if self._loop.time() - self._due > _LATE_S:
            self._wait(_STEP_S)  # one more step even where none is left: what waits in the pipes is read first
        elif self._left > 0:
            self._wait(min(self._left, _STEP_S))
        else:
            self._act()
