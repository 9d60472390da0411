"""The two kinds of runs of a batch: in a process of their own each, or all in that of the batch.

Each kind has a limit and a pace of its own, so that neither keeps the other waiting. Lines are read in their order, so
where one kind has as many as may run, some more of them are read ahead, to find those of the other kind behind them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from agent_workers.batch.pace import Account, Pace

if TYPE_CHECKING:
    from agent_workers.batch.item import Line

_MOST_AHEAD = 256
_MOST_BYTES = 64 << 20
"""Of all lines in memory; past that none is read ahead."""


class Lane:
    """Runs of one kind.

    Args:
        most: How many may be under way at once.
        account: Whose limits they meet.

    Attributes:
        most: Likewise.
        places: Of the lines that are being run, from their first attempt to their record.
        pace: How many runs may be under way just now.
        lines: How many lines of this kind are in memory.
    """

    def __init__(self, most: int, account: Account) -> None:
        self.most = most
        self.places = anyio.Semaphore(most)
        self.pace = Pace(most, account)
        self.lines = 0


class Lanes:
    """Both kinds, and the lines in memory.

    Args:
        apart: How many runs may have a process of their own at once.
        here: How many may be under way in this process.
    """

    def __init__(self, apart: int, here: int) -> None:
        account = Account()
        self.apart = Lane(apart, account)
        self.here = Lane(here, account)
        self._bytes = 0
        self._left = anyio.Event()

    async def enter(self, lane: Lane, line: Line) -> None:
        """Waits until there is room for a line."""
        while not self._has_room(lane, line):  # for what leaves may leave too little
            self._left = anyio.Event()
            await self._left.wait()
        lane.lines += 1
        self._bytes += len(line.data)

    def leave(self, lane: Lane, line: Line) -> None:
        """Notes that a line has come to its end."""
        lane.lines -= 1
        self._bytes -= len(line.data)
        self._left.set()

    def _has_room(self, lane: Lane, line: Line) -> bool:
        if lane.lines < lane.most:
            return True
        ahead = sum(max(0, each.lines - each.most) for each in (self.apart, self.here))
        return ahead < _MOST_AHEAD and self._bytes + len(line.data) <= _MOST_BYTES
