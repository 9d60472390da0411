"""``agent-workers pool status``: how a pool does, for a person or as JSON."""

from __future__ import annotations

import json
import sys
import time
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent_workers.cli.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Callable

_VARIABLE = "AGENT_WORKERS_POOL"
_PAUSE_S = 2

_HELP = """Tells how a pool does: its agents, what served the runs, the time to the first words, memory, faults.

Exit status: 1 where no pool answers. docs/pool.md says what the fields of --json mean.

\b
Examples:
  agent-workers pool status --socket /run/agent-workers/pool.sock
  agent-workers pool status --processes --watch
  agent-workers pool status --json | jq '.pools[].fault'
"""


@click.command(help=_HELP, short_help="How does the pool do?")
@click.option(
    "--socket", type=click.Path(readable=False), envvar=_VARIABLE, show_envvar=True, help="Path of the pool's socket."
)
@click.option("--json", "as_json", is_flag=True, help="Write one line of JSON.")
@click.option("--watch", is_flag=True, help=f"Go on, every {_PAUSE_S} seconds, until it is interrupted.")
@click.option("--processes", is_flag=True, help="Show each worker process, too.")
@click.pass_obj
def status(of_pool: str | None, socket: str | None, as_json: bool, watch: bool, processes: bool) -> None:
    """Asks the pool and tells it."""
    if not (named := socket or of_pool):
        raise click.UsageError(f"name the pool's socket: --socket PATH, or {_VARIABLE}")
    path = Path(named).absolute()
    with suppress(KeyboardInterrupt) if watch else nullcontext():
        _tell(path, as_json=as_json, watch=watch, processes=processes)


def _tell(path: Path, *, as_json: bool, watch: bool, processes: bool) -> None:
    found = _asked(path)
    if as_json:
        _repeat(lambda found: click.echo(json.dumps(found)), path, found, watch=watch)
        return
    from agent_workers.cli.pool_table import console_of, print_status

    console = console_of(sys.stdout)
    if watch and console.is_terminal:
        _watch(path, found, processes=processes)
    else:
        _repeat(lambda found: print_status(console, found, processes=processes), path, found, watch=watch)


def _asked(path: Path) -> dict[str, Any]:
    from agent_workers.pool.inquiry import NoStatus, ask_status

    try:
        return ask_status(path)
    except NoStatus as error:
        raise click.ClickException(harmless(f"no pool at {path}: {error}")) from error


def _repeat(tell: Callable[[dict[str, Any]], None], path: Path, found: dict[str, Any], *, watch: bool) -> None:
    tell(found)
    while watch:
        time.sleep(_PAUSE_S)
        tell(_asked(path))


def _watch(path: Path, found: dict[str, Any], *, processes: bool) -> None:
    """Shows it in place, also while the pool is started anew."""
    from rich.live import Live

    from agent_workers.cli.pool_table import console_of, rendered

    console = console_of(sys.stdout)
    with Live(console=console, auto_refresh=False, screen=True) as live:
        shown = rendered(console, found, processes=processes)
        while True:
            live.update(shown, refresh=True)
            time.sleep(_PAUSE_S)
            try:
                shown = rendered(console, _asked(path), processes=processes)
            except click.ClickException as error:
                shown = error.message
