"""The feeds that are in memory, within bounds of bytes and time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_workers.gateway.feed import Feed
    from agent_workers.gateway.settings import LimitsTable


class Shelf:
    """Feeds by their runs.

    Args:
        limits: How much is kept, and for how long.
        keep_s: Seconds that a run is kept after its end, while nobody reads it.
        dropped: Hears which run was forgotten.
    """

    def __init__(self, limits: LimitsTable, keep_s: float, dropped: Callable[[str], None] = lambda run: None) -> None:
        self.feeds: dict[str, Feed] = {}
        self._limits = limits
        self._keep_s = keep_s
        self._dropped = dropped

    @property
    def size(self) -> int:
        """Bytes of all events that are kept."""
        return sum(feed.size for feed in self.feeds.values())

    def put(self, feed: Feed) -> None:
        """Takes a feed in."""
        self.feeds[feed.run] = feed

    def drop(self, run: str) -> None:
        """Forgets a run."""
        if self.feeds.pop(run, None):
            self._dropped(run)

    def tick(self) -> None:
        """Looks after them; to be called about once a second."""
        now = time.monotonic()
        for feed in tuple(self.feeds.values()):
            if feed.ended is None and now - feed.heard >= self._limits.heartbeat_s:
                feed.heard = now
                for reader in tuple(feed.readers):
                    reader.beat()
            if feed.ended is not None and not feed.readers and now - feed.ended >= self._keep_s:
                self.drop(feed.run)
        self._make_room()

    def _make_room(self) -> None:
        """Forgets runs that have ended, the oldest first, until the others fit."""
        size = self.size
        if size <= self._limits.kept_bytes:
            return
        ended = [feed for feed in self.feeds.values() if feed.ended is not None and not feed.readers]
        for feed in sorted(ended, key=lambda each: each.ended or 0):
            self.drop(feed.run)
            size -= feed.size
            if size <= self._limits.kept_bytes:
                return
