"""The kit's report as a person reads it."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.console import Console, Group
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from agent_workers.cli.harmless import harmless
from agent_workers.conformance import LEVELS
from agent_workers.conformance.data import page
from agent_workers.conformance.report import PAGE
from agent_workers.conformance.verdict import diagnostics, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from agent_workers.conformance import Report, Verdict

_WIDTH = 80
_WIDEST = 100
_COLORS = {"passed": "green", "failed": "red", "skipped": "yellow"}
_LONGEST = 300


@contextmanager
def progress() -> Iterator[Callable[[int, int], None]]:
    """Shows how far the kit is, on a terminal alone."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda done, total: None
        return
    with console.status("Starting …") as status:
        yield lambda done, total: status.update(f"{done} of {total} runs")


def show(report: Report) -> None:
    """Prints the report: what failed, each with its cure, then what was skipped, and the sum."""
    console = _console()
    with console.capture() as captured:
        _print(console, report)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()), color=console.is_terminal)


def _print(console: Console, report: Report) -> None:
    console.print(Text(harmless(" ".join(report.command)), style="bold"))
    console.print(Text(harmless(f"profile: {report.profile}")))
    for verdict in report.of("failed"):
        console.print()
        console.print(_failure(verdict))
    if report.of("failed"):
        console.print()
        console.print(Text(harmless(f"{PAGE} is {page()}")))
    if report.of("skipped"):
        console.print()
        console.print(_skipped(report))
    console.print()
    console.print(_sum(report))


def _console() -> Console:
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDTH
    console = Console(highlight=False, width=width)
    console.width = min(console.width, _WIDEST)
    return console


def _failure(verdict: Verdict) -> RenderableType:
    case, seen = verdict.case, verdict.recording
    head = Rule(Text.assemble(("FAILED ", "bold red"), (case.id, "bold")), align="left", style="red")
    rows = _rows()
    _add(rows, "contract", f"{case.rule} ({PAGE}, {case.section})")
    if case.run is None:
        _add(rows, "seen in", ", ".join(dict.fromkeys(finding.where for finding in verdict.findings if finding.where)))
    if seen:
        _add(rows, "sent", "\n".join(_cut(words) for words in seen.sent) or "nothing")
    for finding in verdict.findings:
        if finding.expected:
            _add(rows, "expected", finding.expected, style="green")
        _add(rows, "" if finding.came.startswith("…") else "came", _cut(finding.came), style="red")
    if seen and case.run:
        _add(rows, "stdout", "\n".join(excerpt(seen)) or "nothing")
        if words := diagnostics(seen):
            _add(rows, "stderr", words)
    _add(rows, "mend it", case.cure, style="bold")
    return Group(head, Text(case.title), Padding(rows, (0, 0, 0, 2)))


def _rows() -> Table:
    rows = Table.grid(padding=(0, 2, 0, 0))
    rows.add_column(no_wrap=True, style="cyan")
    rows.add_column(overflow="fold")
    return rows


def _add(rows: Table, name: str, words: str, style: str = "") -> None:
    rows.add_row(name, Text(harmless(words), style=style))


def _cut(words: str) -> str:
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"


def _skipped(report: Report) -> RenderableType:
    reasons: dict[str, list[str]] = {}
    for verdict in report.of("skipped"):
        reasons.setdefault(verdict.reason, []).append(verdict.case.id)
    rows = [Text(harmless(f"{', '.join(ids)}: {reason}")) for reason, ids in reasons.items()]
    return Group(Text("Skipped", style="bold yellow"), *(Padding(row, (0, 0, 0, 2)) for row in rows))


def _sum(report: Report) -> RenderableType:
    counted = Table.grid(padding=(0, 2, 0, 0))
    for level in LEVELS:
        cells = [_count(report, status, level) for status in _COLORS]
        if any(cells):
            counted.add_row(Text(level, style="bold"), *cells)
    return Group(counted, _verdict(report))


def _count(report: Report, status: str, level: str) -> Text:
    count = len(report.of(status, level))
    return Text(f"{count} {status}", style=_COLORS[status]) if count else Text()


def _verdict(report: Report) -> Text:
    reached = report.reached
    took = f"  ({report.took_s:.1f} s)"
    if not report.of("failed"):
        skipped = ", for what the profile says it does" if report.of("skipped") else ""
        words = f"Level {reached}{skipped}." if reached else "No failure, and no level: none of core was tried."
        return Text.assemble((words, "bold green"), took)
    words = f"Level {reached}, not {report.level}." if reached else "No level yet."
    return Text.assemble((words, "bold red"), took)
