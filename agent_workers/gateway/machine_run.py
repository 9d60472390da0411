"""A run on a user's own machine: what is told to it, and the lines that come, of which none is believed unseen."""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from agent_workers.connect.messages import Begin, Tell, written
from agent_workers.gateway.local_run import status_of
from agent_workers.gateway.refusal import busy
from agent_workers.protocol.v1.envelope import TERMINAL, attempt_begun, envelop
from agent_workers.validation.event_schema import event_schema
from agent_workers.validation.request import problems_of
from agent_workers.wire import MAX_LINE, dump, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent_workers.gateway.feed import Feed

logger = logging.getLogger("agent_workers.gateway")

_STOP_S = 6
"""A worker that was stopped takes five seconds at most."""
_MOST_BYTES = 4 << 20
"""Bytes of what is told to a run, and was not taken."""
_TYPE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_UNFIT = "The machine has sent what is no event of this run."


class Host(Protocol):
    """A machine, as its run has it; see ``ConnectedMachine``."""

    news: asyncio.Event

    def begin(self, run: MachineRun) -> bool: ...
    def end(self, run: MachineRun) -> None: ...
    def drop(self, run: str) -> None: ...


class MachineRun:
    """One run.

    Args:
        feed: What it tells, and to whom.
        machine: Where it runs.
        worker: Name of the worker.
        request: Its request.
        heard: Hears each of its events besides, as it was written and read.

    Attributes:
        run: Its id.
        taken: How many of its lines are here.
    """

    def __init__(
        self,
        feed: Feed,
        machine: Host,
        worker: str,
        request: Mapping[str, Any],
        heard: Callable[[bytes, Mapping[str, Any]], None],
    ) -> None:
        self.feed = feed
        self.run = feed.run
        self.taken = 0
        self._machine = machine
        self._heard = heard
        self._over = asyncio.Event()
        self._is_aborted = False
        self._seq = 0
        self._count = 1
        self._waiting = {1: written(Begin(run=feed.run, n=1, worker=worker, request=dict(request)))}
        self._size = len(self._waiting[1])
        self._received = 0
        self._sent = 0

    @property
    def is_ending(self) -> bool:
        """Whether it has told its end, or was asked for it."""
        return self._is_aborted or self.feed.last is not None

    @property
    def has_begun(self) -> bool:
        """Whether the machine has said that it has it."""
        return self._received > 0

    async def play(self) -> None:
        """Waits for its end."""
        if not self._machine.begin(self):
            return
        try:
            await self._over.wait()
        finally:
            self._machine.end(self)

    def tell(self, message: Mapping[str, Any]) -> bool:
        """Sends a control message; says whether the run was there to take it.

        Raises:
            Refusal: The machine takes nothing, and too much waits for it.
        """
        if self._over.is_set():
            return False
        text = written(Tell(run=self.run, n=self._count + 1, message=dict(message)))
        if message["type"] != "abort" and self._size + len(text) > _MOST_BYTES:
            raise busy("Your machine takes nothing at the moment. Try again.")
        self._is_aborted = self._is_aborted or message["type"] == "abort"
        self._count += 1
        self._waiting[self._count] = text
        self._size += len(text)
        self._machine.news.set()
        return True

    def stop(self) -> None:
        """Stops it, and waits no longer than a worker takes for that."""
        if not self._is_aborted:
            self.tell({"type": "abort"})
        asyncio.get_running_loop().call_later(_STOP_S, self.lose)

    def status(self) -> dict[str, Any]:
        """Returns how far it is."""
        return status_of(self.feed)

    def lose(self) -> None:
        """Hears that nothing more comes."""
        self._over.set()

    def resume(self, received: int) -> None:
        """Begins anew after the last message that the machine has."""
        self.received(received)
        self._sent = self._received

    def received(self, number: int) -> None:
        """Forgets the messages that the machine has."""
        self._received = max(self._received, min(number, self._count))
        for told in [each for each in self._waiting if each <= self._received]:
            self._size -= len(self._waiting.pop(told))

    def next(self) -> str | None:
        """Returns a message that was not sent on this connection."""
        self._sent = max(self._sent, self._received)
        if self._sent >= self._count:
            return None
        self._sent += 1
        return self._waiting[self._sent]

    def take(self, number: int, text: str) -> None:
        """Takes a line, if it was not here before."""
        if number <= self.taken or self._over.is_set():
            return
        self.received(1)
        line = text.encode("utf-8", "replace")
        event = self._event_of(line) if number == self.taken + 1 else None
        if event is None:
            logger.warning("run %s: the machine has sent what is no event of it", self.run)
            self.fail("internal", _UNFIT)
            return
        self.taken = number
        self._pass_on(line, event)

    def fail(self, code: str, message: str, *, retryable: bool = False) -> None:
        """Ends it with an error, if it has no end yet, and has its machine stop it."""
        if self._over.is_set():
            return
        body = {"type": "error", "code": code, "message": message, "retryable": retryable}
        event = envelop(body, seq=self._seq + 1, run=self.run, ts=timestamp(datetime.now(UTC)))
        self._machine.drop(self.run)
        self._pass_on(dump(event), event)

    def _pass_on(self, line: bytes, event: Mapping[str, Any]) -> None:
        self._seq = event["seq"]
        self._heard(line, event)
        self.feed.add(line, event)
        if event["type"] in TERMINAL:
            self._over.set()

    def _event_of(self, line: bytes) -> dict[str, Any] | None:
        """Returns the event of a line; None where it is none that may come next in this run."""
        if len(line) >= MAX_LINE or not line.isascii() or not line.decode("ascii").isprintable():
            return None
        event, problems = problems_of(line)
        if problems or not isinstance(event, dict) or event.get("run") != self.run:
            return None
        kind, seq = event.get("type"), event.get("seq")
        if not isinstance(kind, str) or not _TYPE.fullmatch(kind) or type(seq) is not int or seq <= self._seq:
            return None
        begins = attempt_begun(event)
        if begins is not None and (self._seq or begins != 1):
            return None
        if begins is None and not self._seq and kind not in TERMINAL:
            return None
        return event if event_schema().is_valid(event) else None
