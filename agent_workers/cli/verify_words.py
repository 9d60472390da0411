"""What ``agent-workers verify`` says to a person."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.proof import Decision, Report, RunReport

_MOST = 20
"""Of each kind that are listed; ``--json`` has more."""


def told(report: Report, *, has_heads: bool) -> Iterator[str]:
    """Yields the lines.

    Args:
        report: What was found out.
        has_heads: Whether the end of a run was known beforehand.
    """
    yield from _listed([str(finding) for finding in report.findings], report.counted["findings"])
    for run in report.runs[:_MOST]:
        yield _of_run(run)
        yield from (f"  {remark}" for remark in run.remarks)
    if (more := report.counted["runs"] - _MOST) > 0:
        yield f"and {more} more runs"
    yield from _listed([_of_decision(decision) for decision in report.decisions], report.counted["decisions"])
    yield from _sum(report, has_heads=has_heads)


def _listed(lines: list[str], counted: int) -> Iterator[str]:
    yield from lines[:_MOST]
    if counted > _MOST:
        yield f"and {counted - _MOST} more like these"


def _of_run(run: RunReport) -> str:
    end = run.ended or "no terminal event"
    attempts = "" if run.attempts == 1 else f", {run.attempts} attempts"
    if run.head is None:
        return f"run {run.run}: {run.lines} lines{attempts}, {end}; not chained"
    known = ", as known" if run.is_end_known else ""
    return f"run {run.run}: {run.lines} lines{attempts}, {end}; head {run.head}{known}"


def _of_decision(decision: Decision) -> str:
    actor = f" by {decision.actor}" if decision.actor else ""
    words = f"line {decision.line}: {decision.behavior}{actor}"
    at = datetime.fromtimestamp(decision.signed_at or 0, UTC).isoformat().replace("+00:00", "Z")
    states = {
        "proven": f"signed at {at} with the key {decision.key}, which proves it",
        "wrong": "its signature proves nothing",
        "unchecked": f"signed at {at}; give --key to check it",
        "unsigned": "not signed: who decided is the application's word",
    }
    return f"{words}: {states[decision.state]}"


def _sum(report: Report, *, has_heads: bool) -> Iterator[str]:
    if not report.lines:
        yield "not chained: there is no line"
    elif not report.counted["chained"]:
        yield "not chained: set AGENT_WORKERS_CHAIN=1 on the host of the workers; nothing can be said of these lines"
    elif not report.is_whole:
        yield "not whole: these are not the lines that were written"
    elif not report.is_chained:
        yield "not all chained: of the runs that are not, nothing can be said"
    elif has_heads and all(run.is_end_known for run in report.runs):
        yield "whole: each line up to the known end is the one that was written"
    else:
        yield "whole: each line is followed by one that names it"
        yield "Not proven: whoever can write the file can make all of it anew, change its last line, or leave out the"
        yield "last ones. To exclude that, keep the head elsewhere, and give it as --head."
