"""``agent-workers fleet status``: how the fleet or a run does, for a person or as JSON."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

import click

from agent_workers.cli.fleet_options import ask, redis_options
from agent_workers.cli.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rich.console import RenderableType

    from agent_workers.fleet.fleet import Fleet

    Look = Callable[[Fleet], Awaitable[Any]]

_PAUSE_S = 2
_HELP = """Tells how the fleet does: queues, machines, tenants at their limit, credentials that wait, what has ended.

With RUN it tells of that run; --watch then goes on to its end. Exit status: 1 where there is no such run, 75 where
Redis cannot be reached. docs/fleet.md says what the fields of --json mean.

\b
Examples:
  agent-workers fleet status --watch
  agent-workers fleet status RUN
  agent-workers fleet status --json | jq '.queues[].waiting'
"""


@click.command(help=_HELP, short_help="How does the fleet do, or a run?")
@click.argument("run", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write one line of JSON.")
@click.option("--watch", is_flag=True, help=f"Go on, every {_PAUSE_S} seconds, until it is interrupted.")
@redis_options
def status(url: str, prefix: str, run: str | None, as_json: bool, watch: bool) -> None:
    """Looks at the fleet or at a run, and tells it."""
    with suppress(KeyboardInterrupt) if watch else nullcontext():
        ask(url, prefix, lambda fleet: _tell(fleet, run, as_json=as_json, watch=watch))


async def _tell(fleet: Fleet, run: str | None, *, as_json: bool, watch: bool) -> None:
    from agent_workers.cli.pool_table import console_of, print_plain

    async def look() -> Any:
        return await (_status(fleet, run) if run else _overview(fleet))

    if as_json:
        await _repeat(look, lambda found: click.echo(json.dumps(found.as_json())), watch=watch)
        return
    console = console_of(sys.stdout)
    if watch and console.is_terminal:
        await _watch(look)
    else:
        await _repeat(look, lambda found: print_plain(console, _rendered(found, console.width)), watch=watch)


async def _overview(fleet: Fleet) -> Any:
    from agent_workers.fleet.overview import overview

    return await overview(fleet)


async def _status(fleet: Fleet, run: str) -> Any:
    from agent_workers.fleet.fleet import NoSuchRun

    if found := await fleet.status(run):
        return found
    raise NoSuchRun(f"there is no run {run}, or it has ended too long ago")


def _rendered(found: Any, width: int) -> RenderableType:
    from agent_workers.cli.fleet_run_table import rendered_run
    from agent_workers.cli.fleet_table import rendered
    from agent_workers.fleet.overview import Overview

    return rendered(found, width=width) if isinstance(found, Overview) else rendered_run(found)


async def _repeat(look: Callable[[], Awaitable[Any]], tell: Callable[[Any], None], *, watch: bool) -> None:
    from anyio import sleep

    tell(found := await look())
    while watch and not _is_over(found):
        await sleep(_PAUSE_S)
        tell(found := await look())


async def _watch(look: Callable[[], Awaitable[Any]]) -> None:
    """Shows it in place, also while Redis is away; what a run ended with stays on the screen."""
    from anyio import sleep
    from rich.live import Live
    from rich.text import Text

    from agent_workers.cli.pool_table import console_of, print_plain
    from agent_workers.fleet.connection import Trouble

    console = console_of(sys.stdout)
    found = await look()
    with Live(console=console, auto_refresh=False, screen=True) as live:
        shown = _rendered(found, console.width)
        while not _is_over(found):
            live.update(shown, refresh=True)
            await sleep(_PAUSE_S)
            try:
                found = await look()
                shown = _rendered(found, console.width)
            except Trouble as error:
                shown = Text(harmless(f"Redis: {error}"), style="red")
    print_plain(console, shown)


def _is_over(found: Any) -> bool:
    return bool(getattr(found, "is_over", False))
