"""A run's events to the rows that tell of it. Pure, and incremental: each event gives the changes that it makes.

The same events always make the same rows, so whatever is written twice is there once.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent_workers.protocol.v1.envelope import TERMINAL, attempt_begun
from agent_workers.records.about import MOST_ATTEMPTS, moment
from agent_workers.records.changes import CONVERSATIONS, EVENTS, INSIGHTS, USAGE, Change, Forget, Put, Row
from agent_workers.records.messages import Messages
from agent_workers.records.outcome import insight_row, usage_rows
from agent_workers.records.run_row import RunRow, named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.records.about import About
    from agent_workers.records.keeping import Keeping

_TOLD = ("start", "session", *TERMINAL)
"""Types of the events that change the row of the run, whatever else they do."""
_MOST_EVENTS = 2**63 - 1  # what its column takes


class Transcript:
    """The rows of one run.

    Args:
        about: What is known of it.
        keeping: What of it is kept.

    Attributes:
        has_ended: Whether a terminal event came.
    """

    def __init__(self, about: About, keeping: Keeping) -> None:
        self.has_ended = False
        about = replace(about, run=named(about.run) or "")  # as all tables call it
        self._about = about
        self._keeping = keeping
        self._seq = 0
        self._at = about.at
        self._attempt = about.attempt
        self._row = RunRow(about, keeping)
        self._messages = Messages(about, keeping)

    def begin(self) -> list[Change]:
        """Returns what is written before the run begins: the question above all."""
        changes: list[Change] = [self._run()]
        if self._attempt > 1:
            changes.append(Forget(self._about.run, self._attempt))
        return [*changes, *self._conversation(), *self._messages.question(self._attempt, self._row.conversation_id)]

    def told(self, message: Mapping[str, Any]) -> None:
        """Takes note of a control message that the run is sent: the words of a ``steer`` stand in no event."""
        self._messages.told(message)

    def take(self, event: Mapping[str, Any], line: bytes = b"") -> list[Change]:
        """Returns the changes that an event makes; none for one that was there already, or is another run's.

        Args:
            event: The event.
            line: Its line, as the worker wrote it; needed where lines are chained.
        """
        kind, seq = event.get("type"), event.get("seq")
        if not isinstance(kind, str) or type(seq) is not int or event.get("run") != self._about.run:
            return []
        begun = attempt_begun(event)
        if seq > _MOST_EVENTS or (begun or 0) > MOST_ATTEMPTS:
            return []
        is_anew = begun is not None and begun > self._attempt
        if begun is not None and begun < self._attempt:
            return []
        if not is_anew and (self.has_ended or seq <= self._seq):
            return []
        self._seq, self._at = seq, moment(event.get("ts")) or self._at
        begins = self._begin_anew(begun) if is_anew and begun else []
        return [*begins, *self._changes(kind, dict(event), line)]

    def lose(self, at: str, code: str = "worker_lost") -> list[Change]:
        """Returns the changes where no terminal event comes any more.

        Args:
            at: When that was noticed, as in a row.
            code: The error's code; empty where whoever read the run has gone, which stops it.
        """
        if self.has_ended:
            return []
        self.has_ended, self._at = True, at
        texts = self._messages.end(self._seq, at)
        self._row.end({"type": "error", "code": code} if code else {"type": "aborted", "reason": "client"}, at)
        return [self._run(), *self._conversation(), *texts]

    def _begin_anew(self, attempt: int) -> list[Change]:
        self._attempt, self.has_ended = attempt, False
        self._row.begin_anew(attempt)
        self._messages = self._messages.anew()
        return [Forget(self._about.run, attempt), *self._messages.question(attempt, self._row.conversation_id)]

    def _changes(self, kind: str, event: dict[str, Any], line: bytes) -> list[Change]:
        known = self._row.conversation_id
        told = self._row.see(kind, event, self._at)
        if kind in TERMINAL:
            self.has_ended = True
            self._row.end(event, self._at)
            if isinstance(event.get("prev"), str) and line:
                self._row.chain(hashlib.sha256(line.rstrip(b"\r\n")).hexdigest())
        changes: list[Change] = []
        if self._row.conversation_id != known:
            changes += self._messages.question(self._attempt, self._row.conversation_id)
        changes += self._messages.take(kind, event, self._at)
        if kind in TERMINAL:
            changes += self._outcome(event)
        if self._keeping.is_kept(kind):
            changes.append(self._kept(kind, event))
        if kind in _TOLD:
            changes = [*self._conversation(), *changes]
        # The run stands first: by its row the writer knows which attempt counts.
        return [self._run(), *changes] if changes or told else []

    def _outcome(self, event: dict[str, Any]) -> list[Change]:
        rows = [self._put(USAGE, row) for row in usage_rows(event, self._row.columns, self._at)]
        if self._keeping.has_content and (row := insight_row(event, self._row.columns, self._keeping, self._at)):
            rows.append(self._put(INSIGHTS, row))
        return list(rows)

    def _kept(self, kind: str, event: dict[str, Any]) -> Put:
        row = {
            "run_id": self._about.run,
            "attempt": self._attempt,
            "seq": self._seq,
            "aggregate_id": None,
            "type": kind[:191],
            "payload": self._keeping.payload(event, runs_tool=self._about.runs_tool),
            "at": self._at,
        }
        return self._put(EVENTS, row)

    def _run(self) -> Put:
        return self._row.put(self._attempt, self._seq)

    def _conversation(self) -> list[Change]:
        row = self._row.conversation(self._at)
        return [self._put(CONVERSATIONS, row)] if row else []

    def _put(self, table: str, row: Row) -> Put:
        return Put(table, row, self._about.run, self._attempt)
