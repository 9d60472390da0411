"""A whole file of transcripts, read once, a line at a time."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from agent_workers.chain import BEGINNING
from agent_workers.proof.finding import Finding
from agent_workers.proof.keys import Keys
from agent_workers.proof.record import read
from agent_workers.proof.report import Report
from agent_workers.proof.run import RunOfFile
from agent_workers.wire import MAX_LINE, LineFramer, LineTooLong

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from agent_workers.proof.record import Record

_LONGEST = 4 * MAX_LINE
_MOST_OPEN = 10_000
"""Runs whose lines may stand between each other's."""
_NO_KEYS = Keys()


def verify(chunks: Iterable[bytes], keys: Keys = _NO_KEYS, heads: Collection[str] = ()) -> Report:
    """Says whether the lines of a file are those that were written.

    Args:
        chunks: Its bytes, in pieces of any size.
        keys: What decisions may be signed with; none where signatures are not to be checked.
        heads: What is known to be the SHA-256 of the last line of its runs, in hex.
    """
    reading = _Reading(keys, frozenset(heads))
    framer = LineFramer(_LONGEST)
    try:
        for chunk in chunks:
            for line in framer.push(chunk):
                reading.take(line)
    except LineTooLong as fault:
        words = f"was changed: {fault}, and no worker writes one of more than {MAX_LINE}; what follows was not read"
        reading.report.add_finding(Finding("changed", reading.report.lines + 1, None, words))
        return reading.end()
    if rest := framer.rest():
        reading.take(rest)
    return reading.end()


class _Reading:
    def __init__(self, keys: Keys, heads: frozenset[str]) -> None:
        self.report = Report()
        self._keys = keys
        self._heads = heads
        self._found: set[str] = set()
        self._ends: set[str] = set()
        self._runs: OrderedDict[str, RunOfFile] = OrderedDict()
        self._last: RunOfFile | None = None

    def take(self, data: bytes) -> None:
        self.report.lines += 1
        record, event = read(self.report.lines, data)
        run = self._run_of(record)
        if run is None:
            words = "was added: it is no event of a run"
            self.report.add_finding(Finding("added", record.line, record.seq, words))
            return
        self._last = run
        for told in run.take(record, event):
            if isinstance(told, Finding):
                self.report.add_finding(told)
            else:
                self.report.add_decision(told)
        if record.head in self._heads and record.prev:
            self._found.add(record.head)

    def _run_of(self, record: Record) -> RunOfFile | None:
        if known := self._runs.get(record.run):
            return known
        is_beginning = record.seq == 1 or record.prev == BEGINNING
        if not record.run or (not is_beginning and self._is_of_another(record)):
            return next((run for run in self._runs.values() if run.head == record.prev), self._last)
        self._runs[record.run] = run = RunOfFile(record, self._keys, self._heads)
        while len(self._runs) > _MOST_OPEN:
            self._close(self._runs.popitem(last=False)[1])
        return run

    def _is_of_another(self, record: Record) -> bool:
        """Whether a line with a new run's id stands where that of a known run should."""
        if any(run.head == record.prev for run in self._runs.values()):
            return True
        return self._last is not None and not self._last.has_ended and self._last.report.run != record.run

    def _close(self, run: RunOfFile) -> None:
        for finding in run.end():
            self.report.add_finding(finding)
        self.report.add_run(run.report)
        if run.report.is_end_known and run.report.head:
            self._ends.add(run.report.head)

    def end(self) -> Report:
        for run in self._runs.values():
            self._close(run)
        for head in sorted(self._heads - self._ends):
            if head in self._found:
                words = f"the line whose SHA-256 is {head[:12]}… is here, but it is not the last one of its run"
            else:
                words = f"no line has the SHA-256 {head[:12]}…: the end was cut off, or the last line changed"
            self.report.add_finding(Finding("end", self.report.lines, None, words))
        return self.report
