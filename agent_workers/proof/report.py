"""What was found out about a transcript."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent_workers.proof.decisions import Decision
    from agent_workers.proof.finding import Finding

MOST = 1000
"""Runs, faults and decisions that are listed; all are counted."""
_LOOKED_AT = 16
_MOST_REMARKS = 20


@dataclass(slots=True)
class RunReport:
    """One run of a transcript.

    Attributes:
        run: Its id.
        first: Number of its first line.
        last: Number of its last line.
        lines: How many it has.
        attempts: How many attempts of it there are.
        head: SHA-256 of its last line, in hex; None where its lines are not chained.
        ended: Type of its terminal event; None where there is none.
        is_end_known: Whether that head is one that was given.
        remarks: What its chain does not prove, beside what no chain does.
    """

    run: str
    first: int
    last: int
    lines: int = 0
    attempts: int = 0
    head: str | None = None
    ended: str | None = None
    is_end_known: bool = False
    remarks: list[str] = field(default_factory=list)

    def remark(self, words: str) -> None:
        """Adds a remark, unless there are many already."""
        if len(self.remarks) < _MOST_REMARKS:
            self.remarks.append(words)


@dataclass(slots=True)
class Report:
    """What was found out about a file.

    Attributes:
        lines: How many lines it has.
        runs: Its runs, in the order of their ends.
        findings: What is wrong, as it was found.
        decisions: What came from outside, by whom, and whether a signature proves it.
        counted: How many runs, findings and decisions there are, and how many runs are chained.
    """

    lines: int = 0
    runs: list[RunReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=lambda: {"runs": 0, "chained": 0, "findings": 0, "decisions": 0})

    def add_run(self, run: RunReport) -> None:
        """Adds a run that has ended, or whose file has."""
        self.counted["chained"] += run.head is not None
        self._add("runs", self.runs, run)

    def add_finding(self, finding: Finding) -> None:
        """Adds what is wrong, unless the same was just said of the same line."""
        before = self.findings[-_LOOKED_AT:]
        if not any((each.line, each.what) == (finding.line, finding.what) for each in before):
            self._add("findings", self.findings, finding)

    def add_decision(self, decision: Decision) -> None:
        """Adds a decision."""
        self._add("decisions", self.decisions, decision)

    def _add(self, name: str, items: list[Any], item: object) -> None:
        self.counted[name] += 1
        if len(items) < MOST:
            items.append(item)

    @property
    def is_chained(self) -> bool:
        """Whether there is a run, and the lines of each are chained."""
        return 0 < self.counted["runs"] == self.counted["chained"]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong with what is chained."""
        return not self.counted["findings"]

    def to_json(self) -> dict[str, Any]:
        """Returns it as a JSON object."""
        return {
            "whole": self.is_whole and self.is_chained,
            "chained": self.is_chained,
            "lines": self.lines,
            "counted": self.counted,
            "findings": [finding.to_json() for finding in self.findings],
            "runs": [asdict(run) for run in self.runs],
            "decisions": [decision.to_json() for decision in self.decisions],
        }
