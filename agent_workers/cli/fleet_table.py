"""A fleet as a person reads it: a row for each queue, one below the other where the terminal is narrow."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from agent_workers.cli.harmless import harmless
from agent_workers.cli.pool_table import span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from agent_workers.fleet.overview import Overview, Queue

_SHOWN = 20  # rows of machines, tenants or credentials
_OWN = "(the machines' own)"
_HEADINGS = (
    *("jobs\nwaiting", "\nlater", "runs\nrunning", "\nasking", "\nslots", "\nlimit"),
    *("ended\ndone", "\nerror", "\naborted", "\nlost"),
)
_NAME, _LONG_NAME = 10, 24  # columns of a queue's name: the fewest, and the most


def rendered(found: Overview, *, width: int) -> RenderableType:
    """Returns it as rich shows it."""
    parts: list[RenderableType] = [_head(found), Text()]
    if found.queues:
        parts += [_queues(found, width) or Group(*_blocks(found))]
    for table in (_machines(found), _tenants(found), _paused(found)):
        if table:
            parts += [Text(), table]
    remarks = [Text(harmless(words), style=style) for words, style in _remarks(found)]
    parts += [Text(), *remarks] if remarks and found.queues else remarks
    return Group(*parts)


def _head(found: Overview) -> Text:
    queues = found.queues.values()
    told = [
        f"fleet: {_count(len(found.machines), 'machine')}",
        f"{sum(queue.running for queue in queues)} of {_count(sum(queue.slots for queue in queues), 'slot')} at work",
        f"{sum(queue.waiting for queue in queues)} waiting",
        f"{sum(queue.scheduled for queue in queues)} for later",
    ]
    return Text(", ".join(told), style="bold")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _queues(found: Overview, width: int) -> Table | None:
    """Returns a row for each queue; None where they do not fit beside each other."""
    rows = {name: _row(queue) for name, queue in found.queues.items()}
    widths = [
        max(map(len, (*heading.split("\n"), *map(str, cells))))
        for heading, *cells in zip(_HEADINGS, *rows.values(), strict=True)
    ]
    longest = max(map(len, rows))
    gap = 2 if sum(widths) + 2 * len(widths) + min(longest, _LONG_NAME) <= width else 1
    if sum(widths) + gap * len(widths) + min(longest, _NAME) > width:
        return None
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, gap, 0, 0))
    table.add_column("\nqueue", overflow="fold", max_width=_LONG_NAME)
    for heading, columns in zip(_HEADINGS, widths, strict=True):
        table.add_column(heading, justify="right", no_wrap=True, min_width=columns)
    for name, cells in rows.items():
        table.add_row(Text(harmless(name)), *cells)
    return table


def _row(queue: Queue) -> list[Text]:
    ended = _ended(queue)
    return [
        *(_waiting(queue), Text(str(queue.scheduled)), Text(str(queue.running)), _asking(queue)),
        *(Text(str(queue.slots)), Text(_limit(queue))),
        *(Text(str(ended["done"])), _red(ended["error"]), Text(str(ended["aborted"])), _red(ended["lost"])),
    ]


def _blocks(found: Overview) -> Iterator[RenderableType]:
    for name, queue in found.queues.items():
        yield Text(harmless(name), style="bold")
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1, 0, 0))
        table.add_column(style="dim", no_wrap=True)
        table.add_row("waiting", _waiting(queue))
        table.add_row("later", str(queue.scheduled))
        table.add_row("running", str(queue.running))
        table.add_row("asking", _asking(queue))
        table.add_row("slots", str(queue.slots))
        table.add_row("limit", _limit(queue))
        ended = _ended(queue)
        table.add_row("ended", ", ".join(f"{how} {ended[how]}" for how in ("done", "error", "aborted", "lost")))
        yield table


def _ended(queue: Queue) -> Counter[str]:
    """Counts how runs ended, errors of all codes together."""
    counts: Counter[str] = Counter()
    for how, count in queue.ended.items():
        counts[how.partition(":")[0]] += count
    return counts


def _waiting(queue: Queue) -> Text:
    return Text(str(queue.waiting), style="yellow" if queue.waiting and not queue.slots else "")


def _asking(queue: Queue) -> Text:
    return Text(str(queue.asking), style="yellow" if queue.asking else "")


def _limit(queue: Queue) -> str:
    return "" if queue.limit is None else str(queue.limit)


def _red(count: int) -> Text:
    return Text(str(count), style="red" if count else "")


def _machines(found: Overview) -> Table | None:
    rows = [[name, str(each.running), str(each.slots)] for name, each in found.machines.items()]
    return _list(("machine", "running", "slots"), rows)


def _tenants(found: Overview) -> Table | None:
    rows = [[name, f"{each.running}/{each.limit}", f"{each.waiting} waiting"] for name, each in found.tenants.items()]
    return _list(("tenant at its limit", "running", "jobs"), rows)


def _paused(found: Overview) -> Table | None:
    rows = [
        [name or _OWN, _clock(till), f"in {span((till - found.now) / 1000)}"] for name, till in found.paused.items()
    ]
    return _list(("credential that waits", "until", ""), rows)


def _list(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table | None:
    """Returns a table of names and two facts of each; None where there are none."""
    if not rows:
        return None
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(headings[0], overflow="fold", max_width=48)
    for heading in headings[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows[:_SHOWN]:
        table.add_row(*(Text(harmless(cell)) for cell in row))
    if len(rows) > _SHOWN:
        table.add_row(Text(f"and {len(rows) - _SHOWN} more", style="dim"))
    return table


def _clock(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000).astimezone():%H:%M:%S}"


def _remarks(found: Overview) -> Iterator[tuple[str, str]]:
    """Yields what an operator has to know besides the numbers, and a style."""
    if not found.queues:
        yield "no queue yet: start agent-workers fleet work, or submit a job", ""
    for name, queue in found.queues.items():
        if queue.waiting and not queue.slots:
            yield f"{name}: no slot is alive: agent-workers fleet work --queue {name}=4", "yellow"
        elif queue.waiting and queue.limit == 0:
            yield f"{name}: is held by its limit of 0: agent-workers fleet limits set queue {name} N", "yellow"
        errors = {how.partition(":")[2]: count for how, count in queue.ended.items() if how.startswith("error:")}
        if errors:
            each = ", ".join(f"{code} {count}" for code, count in sorted(errors.items(), key=lambda one: -one[1]))
            yield f"{name}: errors by {each}", ""
    if found.dead:
        yield f"{_count(found.dead, 'run')} failed for good: agent-workers fleet dead list", "red"
