"""A user's own machine, connected or lost a moment ago."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from agent_workers.connect.messages import VERSION, Drain, Drop, End, Line, Taken, Welcome, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent_workers.connect.messages import FromMachine, Offer
    from agent_workers.gateway.machine_run import MachineRun
    from agent_workers.gateway.owner import Owner

logger = logging.getLogger("agent_workers.gateway")

_ENDS = {
    "full": ("worker_lost", "Your machine has no room for this run. Try again in a moment.", True),
    "not_offered": ("worker_lost", "Your machine does not run this. Name its worker there with --worker.", False),
    "line_too_long": ("internal", "The agent worker wrote a line that is too long to read.", False),
}


class ConnectedMachine:
    """One machine of one user: its runs are this user's alone.

    Args:
        owner: Whose it is.
        offer: What it runs.
        grace_s: Seconds for which its runs are kept when it is lost.
        gone: Hears that it will not come back.

    Attributes:
        news: Set where there is something to send.
        is_connected: Whether it is.
        is_draining: Whether it takes no new runs.
    """

    def __init__(self, owner: Owner, offer: Offer, grace_s: float, gone: Callable[[ConnectedMachine], None]) -> None:
        self.owner = owner
        self.offer = offer
        self.news = asyncio.Event()
        self.is_connected = False
        self.is_draining = False
        self._grace_s = grace_s
        self._gone = gone
        self._is_gone = False
        self._runs: dict[str, MachineRun] = {}
        self._taken: dict[str, int] = {}
        self._drops: set[str] = set()
        self._connection: object = None
        self._replaced = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def id(self) -> str:
        """Names it, from its start to its end."""
        return self.offer.machine

    @property
    def has_room(self) -> bool:
        """Whether it takes another run."""
        return len(self._runs) < self.offer.max_runs

    def attach(self, offer: Offer) -> tuple[str, asyncio.Event]:
        """Takes a connection in the place of the one before.

        Returns:
            The first message on it, and what is set when another one takes its place.
        """
        self._replaced.set()
        self._replaced = asyncio.Event()
        if self._timer:
            self._timer.cancel()
        self.offer, self.is_connected, self.is_draining = offer, True, False
        self._taken.clear()
        self._drops.clear()  # what is not in the welcome is stopped
        for run in tuple(self._runs.values()):
            received = offer.runs.get(run.run)
            if received is None and run.has_begun:
                run.lose()
                self._runs.pop(run.run, None)
            else:
                run.resume(received or 0)
        known = {run: self._runs[run].taken for run in offer.runs if run in self._runs}
        self.news.set()
        return written(Welcome(v=VERSION, grace_s=self._grace_s, runs=known)), self._replaced

    def detach(self, replaced: asyncio.Event) -> None:
        """Hears that a connection has ended; its runs are lost where none takes its place in time."""
        if replaced is not self._replaced:
            return
        self.is_connected = False
        if not self._runs:
            self._expire()
            return
        self._timer = asyncio.get_running_loop().call_later(self._grace_s, self._expire)

    def begin(self, run: MachineRun) -> bool:
        """Has a run begin; says whether the machine may still take it."""
        if self._is_gone:
            return False
        self._runs[run.run] = run
        self.news.set()
        return True

    def end(self, run: MachineRun) -> None:
        """Hears that a run is over."""
        if self._runs.get(run.run) is run:
            del self._runs[run.run]
        if not run.feed.last:
            self.drop(run.run)
        if not self.is_connected and not self._runs:
            self._expire()

    def drop(self, run: str) -> None:
        """Has the machine stop a run that nobody wants any more."""
        if self.is_connected:
            self._drops.add(run)
            self.news.set()

    def take(self, message: FromMachine) -> None:
        """Does what the machine says, for a run that it was given; whatever it says of others is nothing."""
        if isinstance(message, Drain):
            self.is_draining = True
            return
        run = self._runs.get(getattr(message, "run", ""))
        if run is None:
            return
        if isinstance(message, Line):
            run.take(message.n, message.line)
            self._taken[run.run] = run.taken
            self.news.set()
        elif isinstance(message, Taken):
            run.received(message.n)
        elif isinstance(message, End):
            code, words, retryable = _ENDS[message.reason]
            run.fail(code, words, retryable=retryable)

    def outgoing(self) -> Iterator[str]:
        """Yields what is to be sent."""
        self.news.clear()
        while self._drops:
            yield written(Drop(run=self._drops.pop()))
        while self._taken:
            name, number = self._taken.popitem()
            yield written(Taken(run=name, n=number))
        for run in tuple(self._runs.values()):
            while text := run.next():
                yield text

    def _expire(self) -> None:
        if self._timer:
            self._timer.cancel()
        if self._is_gone or self.is_connected:
            return
        self._is_gone = True
        self._gone(self)
        for run in tuple(self._runs.values()):
            logger.warning("run %s: its machine has gone", run.run)
            run.lose()
