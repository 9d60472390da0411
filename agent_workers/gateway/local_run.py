"""A run on this machine: a worker process, and the feed that it fills."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from agent_workers.gateway.refusal import said_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent_workers.client import AsyncProcessRunner, AsyncRun
    from agent_workers.gateway.feed import Feed

logger = logging.getLogger("agent_workers.gateway")


class LocalRun:
    """One run.

    Args:
        feed: What it tells, and to whom.
        runner: Starts its worker.
        request: Its request.
        heard: Hears each of its events besides, as it was written and read.
    """

    def __init__(
        self,
        feed: Feed,
        runner: AsyncProcessRunner,
        request: Mapping[str, Any],
        heard: Callable[[bytes, Mapping[str, Any]], None],
    ) -> None:
        self.feed = feed
        self._runner = runner
        self._request = request
        self._heard = heard
        self._handle: AsyncRun | None = None
        self._is_aborted = False

    @property
    def is_ending(self) -> bool:
        """Whether it has told its end, or was asked for it."""
        return self._is_aborted or self.feed.last is not None

    async def play(self) -> None:
        """Runs the worker to its end."""
        async with self._runner.stream(self._request) as self._handle:
            async for event in self._handle:
                self._heard(self._handle.line, event)
                self.feed.add(self._handle.line, event)
        if self._handle.stderr and self.feed.last and self.feed.last["type"] == "error":
            logger.debug("run %s: %s", self.feed.run, self._handle.stderr)

    def tell(self, message: Mapping[str, Any]) -> bool:
        """Sends a control message; says whether the run was there to take it."""
        self._is_aborted = self._is_aborted or message["type"] == "abort"
        return self._handle is not None and self._handle.send(message) is not None

    def stop(self) -> None:
        """Stops the worker."""
        if self._handle is not None:
            self._handle.stop()

    def status(self) -> dict[str, Any]:
        """Returns how far it is."""
        return status_of(self.feed)


def status_of(feed: Feed) -> dict[str, Any]:
    """Returns how far the run of a feed is."""
    first, last = feed.first, feed.last
    found: dict[str, Any] = {"run": feed.run, "state": last["type"] if last else "running"}
    if first:
        found["begun_at"] = first["ts"]
    if last:
        found |= {"ended_at": last["ts"], "event": last}
        if last["type"] != "done":
            found["message"] = said_of(last)
    return found
