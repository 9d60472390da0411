"""The events of one run, in memory for all who read them: each is encoded once, and no reader has a copy."""

from __future__ import annotations

import time
from bisect import bisect_right
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from agent_workers.client.reader import lost
from agent_workers.convert import FORMATS, read_event
from agent_workers.convert.native import native_frame, place
from agent_workers.gateway.questions import Questions
from agent_workers.gateway.track import Track
from agent_workers.protocol.v1.envelope import TERMINAL, attempt_begun, envelop
from agent_workers.wire import dump, timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.convert import Encoder
    from agent_workers.gateway.owner import Owner

NATIVE = "native"
_DATA = b"\ndata: "


class Reading(Protocol):
    """Who reads a feed."""

    def pump(self) -> None:
        """Hears that there is more, or that the run has ended."""
        ...

    def beat(self) -> None:
        """Hears that nothing has come for long."""
        ...

    def leave(self) -> None:
        """Hears that the gateway leaves, while the run goes on."""
        ...


class Place(NamedTuple):
    """The last event that a reader has: its attempt, and its number there. Both are 0 for one who has none."""

    attempt: int = 0
    seq: int = 0


class Feed:
    """What a run has told, and who reads it.

    Args:
        run: Its id.
        owner: Whose it is.
        max_bytes: How much of it is kept at most; the oldest goes first.

    Attributes:
        readers: Those who follow it now.
        first: Its first event that is known.
        last: Its terminal event; None while it runs.
        attempt: The attempt that is told.
        questions: What it has asked.
        size: Bytes that are kept.
        heard: When something came last, by ``time.monotonic``.
        ended: When it ended, likewise; None while it runs.
    """

    def __init__(self, run: str, owner: Owner, max_bytes: int) -> None:
        self.run = run
        self.owner = owner
        self.readers: set[Reading] = set()
        self.first: Mapping[str, Any] | None = None
        self.last: Mapping[str, Any] | None = None
        self.attempt = 1
        self.questions = Questions()
        self.size = 0
        self.heard = time.monotonic()
        self.ended: float | None = None
        self._max_bytes = max_bytes
        self._seqs: list[int] = []
        self._native = Track()
        self._others: dict[str, tuple[Track, Encoder]] = {}
        self._former: list[tuple[Track, Encoder]] = []

    def add(self, line: bytes, event: Mapping[str, Any], *, attempt: int | None = None) -> None:
        """Takes the run's next event, and passes it on.

        Args:
            line: As it was written, without its newline.
            event: The same, read.
            attempt: The attempt that it is of, where another than the one that began last.
        """
        begun = attempt if attempt is not None else attempt_begun(event)
        if begun is not None and begun > self.attempt:
            self._begin(begun)
        self.questions.note(event)
        self.first = self.first or event
        self._keep(line, event)
        self.heard = time.monotonic()
        if event["type"] in TERMINAL:
            self.last, self.ended = event, self.heard
        for reader in tuple(self.readers):
            reader.pump()

    def lose(self) -> None:
        """Ends a run of which nothing more will come."""
        seq = self._seqs[-1] + 1 if self._seqs else 1
        event = envelop(lost(), seq=seq, run=self.run, ts=timestamp(datetime.now(UTC)))
        self.add(dump(event), event)

    def track(self, name: str) -> Track:
        """Returns the frames of a format, which begin with the first event that is kept."""
        if name == NATIVE:
            return self._native
        if name not in self._others:
            self._others[name] = self._encoded(name)
        return self._others[name][0]

    def number_after(self, after: Place) -> int:
        """Returns the number, in the native track, of the event that follows."""
        seq = after.seq if after.attempt == self.attempt else 0
        return self._native.first + bisect_right(self._seqs, seq)

    def is_torn_off(self, after: Place) -> bool:
        """Whether events that a reader does not have were dropped."""
        seq = after.seq if after.attempt == self.attempt else 0
        return bool(self._seqs) and self._seqs[0] > seq + 1

    def is_read(self, after: Place) -> bool:
        """Whether the run has ended, and a reader has all of it."""
        return self.last is not None and after.attempt == self.attempt and self.last["seq"] <= after.seq

    def _begin(self, attempt: int) -> None:
        """Forgets what an attempt before has said: whoever comes back reads a later one from its start."""
        self.attempt = attempt
        self.first = None
        self._drop(len(self._seqs), counts=False)
        # Those who read these read on; who comes now gets frames that know nothing of the lost attempt.
        self._former += self._others.values()
        self._others = {}

    def _keep(self, line: bytes, event: Mapping[str, Any]) -> None:
        name = f"{event['run']}:{place(self.attempt, event['seq'])}"
        frame = native_frame(line.decode("utf-8", "replace"), event["type"], name).encode()
        self._native.add(frame)
        self._seqs.append(event["seq"])
        self.size += len(frame)
        if others := [*self._others.values(), *self._former]:
            read = read_event(line)
            for track, encoder in others:
                track.add(encoder.event(read).encode())
        if self.size > self._max_bytes:
            self._trim()

    def _trim(self) -> None:
        """Drops the oldest until there is room for a while, and at least the last event stays."""
        left, count = self.size, 0
        while left > self._max_bytes * 0.9 and count < len(self._seqs) - 1:
            left -= len(self._native.at(self._native.first + count))
            count += 1
        self._drop(count, counts=True)

    def _drop(self, count: int, *, counts: bool) -> None:
        for number in range(count):
            self.size -= len(self._native.at(self._native.first + number))
        del self._seqs[:count]
        for track in (self._native, *(track for track, _ in (*self._others.values(), *self._former))):
            track.drop(count, counts=counts)

    def _encoded(self, name: str) -> tuple[Track, Encoder]:
        track, encoder = Track(), FORMATS[name]()
        for number in range(self._native.first, self._native.end):
            line = self._native.at(number).partition(_DATA)[2].rstrip(b"\n")
            track.add(encoder.event(read_event(line)).encode())
        return track, encoder
