"""What the kit says of a worker, for programs: one JSON object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent_workers.conformance.case import LEVELS
from agent_workers.conformance.verdict import diagnostics, excerpt

if TYPE_CHECKING:
    from agent_workers.conformance.verdict import Verdict

_FORMAT = 1
PAGE = "conformance/README.md"
"""The page whose sections the cases name."""


@dataclass
class Report:
    """What the kit says of a worker.

    Attributes:
        command: How it was started.
        profile: What the kit knew of it.
        level: What was asked of it.
        verdicts: One for each case.
        took_s: How long that took.
    """

    command: list[str]
    profile: str
    level: str
    verdicts: list[Verdict] = field(default_factory=list)
    took_s: float = 0

    def of(self, status: str, level: str | None = None) -> list[Verdict]:
        """Returns the verdicts of that status, of one level or of all."""
        return [each for each in self.verdicts if each.status == status and level in (None, each.case.level)]

    @property
    def reached(self) -> str | None:
        """The highest level of which, and of those below it, the worker has passed all that applies to it."""
        reached = None
        for level in LEVELS:
            if self.of("failed", level) or (reached is None and not self.of("passed", level)):
                break
            reached = level if self.of("passed", level) else reached
        return reached

    def to_json(self) -> dict[str, Any]:
        """Returns the report as a JSON object."""
        return {
            "v": _FORMAT,
            "command": self.command,
            "profile": self.profile,
            "level": self.level,
            "reached": self.reached,
            **{status: len(self.of(status)) for status in ("passed", "failed", "skipped")},
            "took_s": round(self.took_s, 3),
            "cases": [_case(verdict) for verdict in self.verdicts],
        }


def _case(verdict: Verdict) -> dict[str, Any]:
    case = verdict.case
    about = {"id": case.id, "level": case.level, "title": case.title, "status": verdict.status}
    if verdict.status == "skipped":
        return {**about, "reason": verdict.reason}
    if verdict.status == "passed":
        return {**about, "took_s": round(verdict.took_s, 3)}
    findings = [
        {name: value for name, value in finding._asdict().items() if value != ""} for finding in verdict.findings
    ]
    seen = verdict.recording
    return {
        **about,
        "took_s": round(verdict.took_s, 3),
        "contract": case.rule,
        "section": f"{PAGE}, {case.section}",
        "findings": findings,
        "sent": seen.sent if seen else [],
        "stdout": excerpt(seen) if seen else [],
        "stderr": diagnostics(seen) if seen else "",
        "cure": case.cure,
    }
