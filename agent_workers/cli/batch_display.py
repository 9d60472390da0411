"""What a person sees of a batch on stderr: a line that is painted anew, or plain lines where it is no terminal."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import anyio
import click
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from agent_workers.batch.batch import Batch
    from agent_workers.batch.totals import Totals

_PAINT_S = 0.5
_LINE_S = 10
_RATE_S = 60  # of the last minute

_painted: list[Console] = []  # on which a line is painted just now


class _Speed:
    """How many lines came to an end per second, of late."""

    def __init__(self, ended: int) -> None:
        self._seen = [(time.monotonic(), ended)]

    def per_second(self, ended: int) -> float:
        now = time.monotonic()
        self._seen.append((now, ended))
        while len(self._seen) > 2 and now - self._seen[1][0] > _RATE_S:  # noqa: PLR2004 one from before
            self._seen.pop(0)
        began, before = self._seen[0]
        return (ended - before) / (now - began) if now > began else 0.0


async def display(batch: Batch, lines: int | None) -> None:
    """Shows how far a batch has come, until cancelled.

    Args:
        batch: The batch.
        lines: How many lines it has; None where that is not known.
    """
    with suppress(OSError, SystemExit):  # rich exits where its reader has gone, which is no reason to end the batch
        await _paint(batch, _Speed(batch.totals.ended), lines)


async def _paint(batch: Batch, speed: _Speed, lines: int | None) -> None:
    console = Console(stderr=True)
    if not console.is_terminal:
        while True:
            await anyio.sleep(_LINE_S)
            say(f"agent-batch: {_words(batch, speed, lines)}")
    with Live(console=console, auto_refresh=False, transient=True) as live:
        _painted.append(console)
        try:
            while True:
                live.update(Text(_words(batch, speed, lines), overflow="ellipsis", no_wrap=True), refresh=True)
                await anyio.sleep(_PAINT_S)
        finally:
            _painted.remove(console)


def say(words: str) -> None:
    """Says something on stderr, if somebody reads it: above the line that is painted, where one is."""
    with suppress(OSError, SystemExit):
        if _painted:
            _painted[0].print(Text(words), soft_wrap=True)
        else:
            click.echo(words, err=True)


def _words(batch: Batch, speed: _Speed, lines: int | None) -> str:
    totals = batch.totals
    rate = speed.per_second(totals.ended)
    of = f"/{lines}" if lines else ""
    parts = [f"{totals.done}{of} done", f"{totals.failed} failed", f"{totals.running} running"]
    if totals.aborted:
        parts.append(f"{totals.aborted} aborted")
    if totals.cost_usd:
        parts.append(f"${totals.cost_usd:.2f}")
    batch.note_out()
    if totals.out:
        parts.append(f"{totals.out} out" + (f" since {moment(totals.out_since)}" if totals.out_since else ""))
    if rate or not totals.out:
        parts.append(f"{rate:.1f}/s")
    if batch.pace.waits_s:
        parts.append(f"rate limit, on in {batch.pace.waits_s:.0f} s")
    if totals.stopped:
        parts.append(f"stopping ({totals.stopped})")
    elif lines and rate > 0 and not totals.out:  # when the batch API answers nobody can tell
        parts.append(f"{_duration((lines - totals.ended) / rate)} left")
    return ", ".join(parts)


def moment(told: str, *, dated: bool = False) -> str:
    """Returns a time of RFC 3339 as a person here reads it; with its date where that is asked for, or not today's."""
    found = datetime.fromisoformat(told).astimezone()
    is_today = found.date() == datetime.now().astimezone().date()
    return found.strftime("%H:%M" if is_today and not dated else "%Y-%m-%d %H:%M")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(max(0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def summary(totals: Totals, *, as_json: bool) -> None:
    """Writes to stderr what a batch came to."""
    told = {
        "done": totals.done,
        "failed": totals.failed,
        "aborted": totals.aborted,
        "out": totals.out,
        "earlier": totals.earlier,
        "attempts": totals.attempts,
        "cost_usd": round(totals.cost_usd, 6),
        "usage": dict(totals.usage),
        "errors": dict(totals.errors.most_common()),
        "stopped": totals.stopped,
        "exit_status": totals.exit_status,
    }
    if as_json:
        say(json.dumps({**told, "notes": totals.notes}))
        return
    table = Table(show_header=False, box=None)
    for name, value in told.items():
        shown = ", ".join(f"{key} {count}" for key, count in value.items()) if isinstance(value, dict) else value
        table.add_row(name.replace("_", " "), "-" if shown in (None, "") else str(shown))
    with suppress(OSError, SystemExit):  # with which rich ends a program whose reader has gone
        Console(stderr=True).print(table)
