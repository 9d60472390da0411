"""One run of a worker under test, from its start until nothing of it is left."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from agent_workers.conformance.lines import MAX_BYTES
from agent_workers.conformance.subject import Subject
from agent_workers.protocol.v1.envelope import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from agent_workers.conformance.orphans import Nursery
    from agent_workers.conformance.place import Place
    from agent_workers.conformance.recording import Recording
    from agent_workers.conformance.start import Start

_LEAVING_S = 5
"""What a worker may take to end after its terminal event, and what it has started after the worker."""
_HELD_OPEN_S = 1


class Stuck(Exception):
    """Raised when a case cannot go on. The message says why."""


class Stage:
    """What all runs of a case have in common.

    Args:
        place: Where they live.
        nursery: Knows the processes.
        start: Starts a process.
        patience: How many times as long everything may take as the contract says.
        limit_s: How long all of it may take.
        stopped: Set where nobody waits for the report any more.
    """

    def __init__(
        self, place: Place, nursery: Nursery, start: Start, *, patience: float, limit_s: float, stopped: Event
    ) -> None:
        self.place = place
        self.nursery = nursery
        self.start = start
        self.patience = patience
        self.limit_s = limit_s * patience
        self._until = time.monotonic() + self.limit_s
        self._stopped = stopped

    @property
    def left_s(self) -> float:
        """What is left of the time."""
        return 0 if self._stopped.is_set() else self._until - time.monotonic()


class Take:
    """One run of a worker.

    Args:
        stage: Where it runs.
        command: How the worker is started.
        recording: Takes what comes of it.
        on_event: Called with each event, once.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(
        self, stage: Stage, command: Sequence[str], recording: Recording, on_event: Callable[[dict[str, Any]], None]
    ) -> None:
        self.recording = recording
        self._stage = stage
        self._on_event = on_event
        self._seen = 0
        self._terminal_at = math.inf
        self.worker = stage.nursery.start(
            lambda: Subject(stage.start, command, stage.place.env), lambda worker: worker.pid
        )
        recording.lines = self.worker.lines.all

    def act(self, *words: str) -> None:
        """Notes what is done to the worker now."""
        self.recording.sent += words
        self.recording.acted_at = time.monotonic()

    def pump(self, awaited: str) -> None:
        """Waits until something happens.

        Raises:
            Stuck: The time is up, or it writes more than the kit reads.
        """
        if self._stage.left_s <= 0:
            self.recording.killed = True
            raise Stuck(
                f"{awaited}; within {self._stage.limit_s:g} s that did not happen, and the kit ended the worker"
            )
        self.worker.pump(self._stage.left_s)
        if self.worker.lines.flooded:
            self.recording.killed = True
            raise Stuck(f"it wrote more than {MAX_BYTES >> 20} MiB or too many lines, and the kit ended the worker")
        self._tell()

    def pump_for(self, seconds: float) -> None:
        """Goes on for so long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.worker.pump(left)

    def finish(self) -> None:
        """Waits for the end of the worker and of its output, but not for ever after its terminal event.

        Raises:
            Stuck: The time is up, or it writes more than the kit reads.
        """
        worker = self.worker
        while not (worker.ended_at and worker.told_all):
            now = time.monotonic()
            if worker.ended_at is not None and now > worker.ended_at + _HELD_OPEN_S:
                return  # somebody else holds its stdout open
            if worker.ended_at is None and now > self._terminal_at + _LEAVING_S * self._stage.patience:
                self.recording.lingers = True
                return
            self.pump("the kit waited for the worker's end")

    def leave(self) -> None:
        """Ends what still runs, and notes how the worker has ended and what it has left behind."""
        worker, recording = self.worker, self.recording
        if worker.status is None:
            recording.killed = True
            worker.kill()
        recording.status, recording.ended_at = worker.status, worker.ended_at
        worker.lines.end()
        recording.rest, recording.stderr = worker.lines.rest, worker.stderr.kept
        recording.leaked = worker.stderr.leaked
        grace_s = 0 if recording.killed else _LEAVING_S * self._stage.patience
        left = self._stage.nursery.left_by(worker.pid, self._stage.place.mark, grace_s)
        recording.left = [] if recording.killed else left
        self._stage.nursery.forget(worker.pid)
        worker.close()

    def _tell(self) -> None:
        lines = self.worker.lines.all
        while self._seen < len(lines):
            line = lines[self._seen]
            self._seen += 1
            if line.event.get("type") in TERMINAL and self._terminal_at == math.inf:
                self._terminal_at = line.at
            if line.event:
                self._on_event(line.event)
