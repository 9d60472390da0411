"""A pool's status as a person reads it: a row for each pool, one below the other where the terminal is narrow."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any, Literal

import click
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from agent_workers import __version__
from agent_workers.cli.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import RenderableType

_WIDTH_OF_A_PIPE = 100
_WIDE = 76
_WAYS = ("warm", "live", "cold")
_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400

Status = dict[str, Any]


def console_of(stream: IO[str]) -> Console:
    """Returns the console for an output."""
    width = None if stream.isatty() or "COLUMNS" in os.environ else _WIDTH_OF_A_PIPE
    return Console(file=stream, highlight=False, width=width)


def print_status(console: Console, status: Status, *, processes: bool) -> None:
    """Prints it."""
    print_plain(console, rendered(console, status, processes=processes))


def print_plain(console: Console, shown: RenderableType) -> None:
    """Prints what rich shows, without the blanks that it fills lines up with."""
    with console.capture() as captured:
        console.print(shown)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()), color=console.is_terminal)


def rendered(console: Console, status: Status, *, processes: bool) -> RenderableType:
    """Returns it as rich shows it."""
    pools = status["pools"]
    parts: list[RenderableType] = [_head(status), Text()]
    parts += [_table(pools)] if console.width >= _WIDE else _blocks(pools)
    if any(pool["first_delta"] for pool in pools.values()):
        parts.append(Text("The times: within these, half of the runs had their first delta.", style="dim"))
    parts += [Text(harmless(f"{name}: {words}"), style=style) for name, words, style in _remarks(status)]
    if processes:
        parts += [Text(), _processes(pools, wide=console.width >= _WIDE)]
    return Group(*parts)


def _head(status: Status) -> Text:
    memory = size(status["memory"])
    if bound := status.get("max_memory"):
        memory += f" of {size(bound)}"
    told = [
        f"pool {status['version']}",
        f"pid {status['pid']}" if "pid" in status else "",
        f"up {span(status['uptime_s'])}" if "uptime_s" in status else "",
        f"{status['processes']} of {status['max']} processes",
        memory,
    ]
    return Text(harmless(", ".join(filter(None, told))), style="bold")


def _table(pools: Mapping[str, Status]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("\npool", overflow="fold", max_width=24)
    for heading in (
        "agents\nidle",
        "\nbusy",
        "\nlive",
        "\nmax",
        "\nmemory",
        "runs\nwarm",
        "\nlive",
        "\ncold",
        "\nlost",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, pool in pools.items():
        numbers = [_agents(pool, "idle"), str(pool["busy"]), _agents(pool, "live"), str(pool["max"])]
        ways = [f"{_runs(pool, way)}\n{_first(pool, way)}" for way in _WAYS]
        cells = [name, *numbers, size(_memory(pool)), *ways]
        table.add_row(*(Text(harmless(cell)) for cell in cells), _lost(pool))
    return table


def _blocks(pools: Mapping[str, Status]) -> Iterator[RenderableType]:
    for name, pool in pools.items():
        yield Text(harmless(name), style="bold")
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1, 0, 0))
        table.add_column(style="dim", no_wrap=True)
        table.add_row("idle", _agents(pool, "idle"))
        table.add_row("busy", str(pool["busy"]))
        table.add_row("live", _agents(pool, "live"))
        table.add_row("max", str(pool["max"]))
        table.add_row("memory", size(_memory(pool)))
        for way in _WAYS:
            table.add_row(f"runs {way}", ", ".join(filter(None, (_runs(pool, way), _first(pool, way)))))
        table.add_row("lost", _lost(pool))
        yield table


def _remarks(status: Status) -> Iterator[tuple[str, str, str]]:
    """Yields what an operator has to know besides the numbers: whose it is, the words, and a style."""
    if status["version"] != __version__:
        yield "version", f"the pool has {status['version']}, this program {__version__}: restart the pool", "yellow"
    if status.get("fault"):
        yield "settings", f"as they were, for the new ones have a fault: {status['fault']}", "red"
    if status.get("earlier"):
        yield "settings", f"{status['earlier']} processes still have earlier ones", ""
    if status.get("over_memory"):
        yield "memory", "max_memory is reached: no agent is started ahead or kept", "yellow"
    for name, pool in status["pools"].items():
        if pool["cold"]:
            yield name, f"runs were cold by {_counts(pool['cold'])}", ""
        if pool.get("waiting"):
            yield name, f"{pool['waiting']} requests wait for a process", "yellow"
        if pool["refused"]:
            yield name, f"refused {_counts(pool['refused'])}", "yellow"
        if pool["fault"]:
            yield name, f"no agent can be started ahead: {pool['fault']}", "red"


def _processes(pools: Mapping[str, Status], *, wide: bool) -> Table:
    headings = ("pid", "state", "for", "memory", "pool", *(["run"] if wide else []))
    rows = [_process(name, each)[: len(headings)] for name, pool in pools.items() for each in pool["processes"]]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading, *cells in zip(headings, *rows, strict=True):
        if heading == "pool":  # a long name gives way
            table.add_column(heading, overflow="fold")
            continue
        side: Literal["left", "right"] = "left" if heading in {"state", "run"} else "right"
        table.add_column(heading, justify=side, no_wrap=True, min_width=max(map(len, (heading, *cells))))
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _process(pool: str, process: Status) -> list[str]:
    memory = size(process["memory"]) if process["memory"] else ""
    told = [str(process["pid"]), process["state"], span(process["for_s"]), memory, pool, process["run"] or ""]
    return [harmless(cell) for cell in told]


def _agents(pool: Status, state: str) -> str:
    """Returns how many there are of how many that should or may be there."""
    wanted = pool.get("min_idle" if state == "idle" else "max_live")
    return str(pool[state]) if wanted is None else f"{pool[state]}/{wanted}"


def _runs(pool: Status, way: str) -> str:
    return str(pool["served"].get(way, 0))


def _first(pool: Status, way: str) -> str:
    times = pool["first_delta"].get(way, {})
    milliseconds = times.get("p50_ms", times.get("mean_ms"))
    return "" if milliseconds is None else f"{milliseconds} ms"


def _memory(pool: Status) -> int:
    return sum(each["memory"] for each in pool["processes"])


def _lost(pool: Status) -> Text:
    return Text(str(pool["lost"]), style="red" if pool["lost"] else "")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda each: -each[1]))


def size(number: int) -> str:
    """Returns a number of bytes in few characters."""
    unit, name = next(((unit, name) for unit, name in _UNITS if number >= unit), (1, "B"))
    scaled = number / unit
    return f"{scaled:.{int(unit == 1 << 30)}f} {name}".replace(".0 ", " ")


def span(seconds: float) -> str:
    """Returns a time in few characters."""
    if seconds < _MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} min"
    if seconds < 2 * _DAY_S:
        return f"{seconds / _HOUR_S:.0f} h"
    return f"{seconds / _DAY_S:.0f} d"
