"""How far a batch has come, and what it came to, in words."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent_workers.batch.batch import Batch
    from agent_workers.batch.totals import Totals

_RATE_S = 60  # of the last minute
_MINUTE_S = 60


class Speed:
    """How many lines came to an end per second, of late."""

    def __init__(self, ended: int) -> None:
        self._seen = [(time.monotonic(), ended)]

    def per_second(self, ended: int) -> float:
        """Returns it, now that so many have."""
        now = time.monotonic()
        self._seen.append((now, ended))
        while len(self._seen) > 2 and now - self._seen[1][0] > _RATE_S:  # noqa: PLR2004 one from before
            self._seen.pop(0)
        began, before = self._seen[0]
        return (ended - before) / (now - began) if now > began else 0.0


def progress(batch: Batch, speed: Speed, lines: int | None) -> str:
    """Returns how far a batch has come; ``lines`` is how many it has, where that is known."""
    totals = batch.totals
    rate = speed.per_second(totals.ended)
    of = f"/{lines}" if lines else ""
    parts = [f"{totals.done}{of} done", f"{totals.failed} failed", f"{totals.running} running"]
    if totals.aborted:
        parts.append(f"{totals.aborted} aborted")
    if totals.cost_usd:
        parts.append(_dollars(totals.cost_usd))
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


def outcome(totals: Totals) -> str:
    """Returns what a batch came to, in one line."""
    failed = f" ({_counts(totals.errors)})" if totals.errors else ""
    parts = [f"{totals.done} done", f"{totals.failed} failed{failed}"]
    if totals.aborted:
        parts.append(f"{totals.aborted} aborted")
    if totals.earlier:
        parts.append(f"{totals.earlier} of them earlier")
    parts += [_seconds(totals.seconds), f"{totals.per_second:.1f}/s"]
    if totals.cost_usd:
        parts.append(_dollars(totals.cost_usd))
    if totals.stopped:
        parts.append(f"stopped ({totals.stopped})")
    return ", ".join([*parts, *(["SIMULATED"] if totals.simulated else [])])


def summary_json(totals: Totals) -> str:
    """Returns what a batch came to, as one JSON object."""
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
        "seconds": round(totals.seconds, 3),
        "per_second": round(totals.per_second, 3),
        "simulated": totals.simulated,
        "stopped": totals.stopped,
        "exit_status": totals.exit_status,
        "notes": totals.notes,
    }
    return json.dumps(told)


def print_summary(totals: Totals) -> None:
    """Writes the same to stderr for a person, without what there is none of."""
    table = Table(show_header=False, box=None)
    for name, value in _rows(totals):
        table.add_row(name, value)
    with suppress(OSError, SystemExit):  # with which rich ends a program whose reader has gone
        Console(stderr=True).print(table)


def _rows(totals: Totals) -> Iterator[tuple[str, str]]:
    yield "done", str(totals.done)
    yield "failed", str(totals.failed) + (f" ({_counts(totals.errors)})" if totals.errors else "")
    if totals.aborted:
        yield "aborted", str(totals.aborted)
    if totals.earlier:
        yield "of them by earlier starts", str(totals.earlier)
    if totals.out:
        yield "out at the batch API", str(totals.out)
    yield "attempts", str(totals.attempts)
    yield "cost", _dollars(totals.cost_usd)
    yield "tokens", _counts({name.removesuffix("_tokens"): count for name, count in totals.usage.items()}) or "-"
    yield "time", _seconds(totals.seconds)
    yield "lines a second", f"{totals.per_second:.1f}"
    if totals.stopped:
        yield "stopped by", totals.stopped
    if totals.simulated:
        yield "simulated", "a script answered, not a model"
    yield "exit status", str(totals.exit_status)


def moment(told: str, *, dated: bool = False) -> str:
    """Returns a time of RFC 3339 as a person here reads it; with its date where that is asked for, or not today's."""
    found = datetime.fromisoformat(told).astimezone()
    is_today = found.date() == datetime.now().astimezone().date()
    return found.strftime("%H:%M" if is_today and not dated else "%Y-%m-%d %H:%M")


def _counts(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count)


def _dollars(usd: float) -> str:
    return f"${usd:.4f}" if 0 < usd < 1 else f"${usd:.2f}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < _MINUTE_S else _duration(seconds)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(max(0, seconds)), _MINUTE_S)
    hours, minutes = divmod(minutes, _MINUTE_S)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
