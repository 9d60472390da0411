"""One run of a transcript: its attempts, each a chain of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.chain import BEGINNING
from agent_workers.proof.decisions import Decisions
from agent_workers.proof.finding import Finding
from agent_workers.proof.links import Links
from agent_workers.proof.report import RunReport
from agent_workers.protocol.v1.envelope import TERMINAL, attempt_begun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.proof.decisions import Decision
    from agent_workers.proof.keys import Keys
    from agent_workers.proof.record import Record


class RunOfFile:
    """Follows a run.

    Args:
        first: Its first line.
        keys: What decisions may be signed with.
        heads: What is known to be the SHA-256 of a last line.

    Attributes:
        report: What is known of it by now.
    """

    def __init__(self, first: Record, keys: Keys, heads: frozenset[str]) -> None:
        self._keys = keys
        self._heads = heads
        self._attempt = 0
        self._links = Links(heads)
        self._decisions = Decisions(keys)
        self.report = RunReport(first.run, first.line, first.line)

    @property
    def head(self) -> str | None:
        """SHA-256 of the last line."""
        return self._links.last.head if self._links.last else None

    @property
    def has_ended(self) -> bool:
        """Whether its terminal event was there."""
        return self.report.ended is not None

    def take(self, record: Record, event: dict[str, Any]) -> Iterator[Finding | Decision]:
        """Takes its next line."""
        report = self.report
        report.last, report.lines = record.line, report.lines + 1
        if self._begins(record, event):
            yield from self._begin(record, attempt_begun(event) or self._attempt + 1)
        last = self._links.last
        if last is not None and record.prev == last.head:
            yield from self._continuing(record, last)
        yield from self._follow(record)
        yield from self._decisions.take(record, event)
        if record.type in TERMINAL:
            report.ended = record.type

    def _continuing(self, record: Record, last: Record) -> Iterator[Finding]:
        """Looks at a line that names the one before it, which says nothing of the rest of it."""
        if self.has_ended:
            words = f"was added: it follows {self.report.ended}, which ends the run"
            yield Finding("added", record.line, record.seq, words, last.run)
        elif record.run != last.run:
            words = f"was changed: it names the run {record.run!r} among lines of {last.run!r}"
            yield Finding("changed", record.line, record.seq, words, last.run)

    def _follow(self, record: Record) -> Iterator[Finding]:
        report = self.report
        if record.prev is None and report.head is None:
            self._links.skip(record)
        elif record.prev is None and self._links.last is None and record.type in TERMINAL:
            words = f"line {record.line} ({record.type}) stands in no chain: the attempt that it ends wrote no line"
            report.remark(words)  # the fleet tells its end
        else:
            report.head = record.head
            yield from self._links.take(record)

    def _begins(self, record: Record, event: dict[str, Any]) -> bool:
        if self.report.attempts == 0:
            return True
        begun = attempt_begun(event)
        if begun is not None:
            return begun > self._attempt and not self.has_ended
        is_alone = record.seq == 1 and record.type in ("error", "aborted") and record.prev in (None, BEGINNING)
        return is_alone and not self.has_ended

    def _begin(self, record: Record, attempt: int) -> Iterator[Finding]:
        yield from self._links.end()
        last = self._links.last
        if self.report.attempts and last is not None and last.type != "retry":
            words = f"attempt {self._attempt} ends at line {last.line} without a word of the next one"
            self.report.remark(f"{words}: its worker was lost, or its end was cut off")
        if attempt > self._attempt + 1:
            missing = ", ".join(map(str, range(self._attempt + 1, min(attempt, self._attempt + 10))))
            self.report.remark(f"attempt {missing} is not in the file")
        self._attempt = attempt
        self.report.attempts += 1
        self._links, self._decisions = Links(self._heads), Decisions(self._keys)

    def end(self) -> Iterator[Finding]:
        """Yields what is wrong with its last lines, once there are no more."""
        report = self.report
        yield from self._links.end()
        report.is_end_known = report.head is not None and report.head in self._heads
        if report.ended is None and not report.is_end_known:
            report.remark("it has no terminal event: it goes on, its worker was lost, or the end was cut off")
