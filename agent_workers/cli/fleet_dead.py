"""``agent-workers fleet dead``: runs that failed for good, until a person has looked at them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from agent_workers.cli.fleet_options import ask, redis_options
from agent_workers.cli.harmless import harmless
from agent_workers.errors import EXIT_ERROR

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from agent_workers.fleet.dead import DeadRun, Which
    from agent_workers.fleet.fleet import Fleet

_HELP = """Runs that failed, and have no attempt left, are kept here until a person has looked at them.

\b
Examples:
  agent-workers fleet dead list --code timeout
  agent-workers fleet dead show RUN
  agent-workers fleet dead retry RUN
  agent-workers fleet dead drop --all --queue bulk
"""
_RETRY_HELP = """Submits the job of each failed RUN again, as a new run, and takes the failed one off the list.

The job is the same, but for run_at and expires_at, which were about the first run. The new run has `retry_of`, the
failed one `retried_as`; said twice it is one run. Prints a line for each: {"run": …, "retry_of": …, "state": …}.

Exit status: 1 where one of them cannot be; the others go all the same.
"""
_DROP_HELP = """Takes each failed RUN off the list. Its job is gone when its events are.

Exit status: 1 where one of them is not on the list.
"""


def _which(command: Any) -> Any:
    """Adds the options that say which of the failed runs."""
    command = click.option("--person", help="Those that are for this person, by on_failure.")(command)
    command = click.option("--tenant", help="Those of this tenant.")(command)
    command = click.option("--queue", help="Those of this queue.")(command)
    return click.option("--code", help="Those whose error has this code, such as timeout.")(command)


def _chosen(command: Any) -> Any:
    """Adds what says which runs are meant: their ids, or all that a filter leaves."""
    command = redis_options(_which(command))
    command = click.option("--all", "is_all", is_flag=True, help="All, or all that the filters leave.")(command)
    return click.argument("runs", metavar="[RUN]...", nargs=-1)(command)


@click.group(help=_HELP, short_help="What has failed for good?")
def dead() -> None:
    """Has nothing to do before its commands."""


@dead.command("list", short_help="List them.")
@_which
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Write a line of JSON for each.")
@redis_options
def list_dead(url: str, prefix: str, *, limit: int, as_json: bool, **filters: str | None) -> None:
    """Lists the runs that failed for good, those that failed last first."""
    found, more = ask(url, prefix, lambda fleet: _found(fleet, filters, limit))
    if as_json:
        for each in found:
            click.echo(json.dumps(each.as_json()))
        return
    from agent_workers.cli.fleet_dead_table import rendered_dead
    from agent_workers.cli.pool_table import console_of, print_plain

    console = console_of(sys.stdout)
    print_plain(console, rendered_dead(found, more=more, width=console.width))


@dead.command(short_help="Show one, with its job and its error.")
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
@redis_options
def show(url: str, prefix: str, *, run: str, as_json: bool) -> None:
    """Shows a run that failed: what is known of it, its last event as long as that is kept, and its job."""
    told, shown = ask(url, prefix, lambda fleet: _told(fleet, run))
    if as_json:
        click.echo(json.dumps(told))
        return
    from agent_workers.cli.pool_table import console_of, print_plain

    print_plain(console_of(sys.stdout), shown)
    if event := told["event"]:
        click.echo(harmless(f"\n{event.get('message', event['type'])}"))
    click.echo("\n" + harmless(json.dumps(told["job"], indent=2, ensure_ascii=False)))


@dead.command(help=_RETRY_HELP, short_help="Submit their jobs again.")
@_chosen
def retry(url: str, prefix: str, *, runs: tuple[str, ...], is_all: bool, **filters: str | None) -> None:
    """Submits each job again."""
    _each(url, prefix, _named(runs, filters, is_all=is_all), filters, _retry)


@dead.command(help=_DROP_HELP, short_help="Take them off the list.")
@_chosen
def drop(url: str, prefix: str, *, runs: tuple[str, ...], is_all: bool, **filters: str | None) -> None:
    """Drops each of them."""
    _each(url, prefix, _named(runs, filters, is_all=is_all), filters, _drop)


def _named(runs: tuple[str, ...], filters: dict[str, str | None], *, is_all: bool) -> tuple[str, ...]:
    if is_all == bool(runs):
        raise click.UsageError("name the runs, or --all")
    if runs and any(filters.values()):
        raise click.UsageError("--code, --queue and --tenant say which of --all; the runs are named already")
    return runs


def _each(
    url: str,
    prefix: str,
    runs: tuple[str, ...],
    filters: dict[str, str | None],
    step: Callable[[Fleet, str], Awaitable[str]],
) -> None:
    """Does a step for each run; ends with status 1 where it failed for one."""

    async def main(fleet: Fleet) -> int:
        from agent_workers.fleet.dead import JobGone, NotDead
        from agent_workers.fleet.fleet import RunTaken
        from agent_workers.protocol.v1.problem import RequestProblems

        failed = 0
        for run in runs or [dead.run async for dead in _dead(fleet, filters)]:
            try:
                click.echo(await step(fleet, run))
            except (NotDead, JobGone, RunTaken) as problem:
                click.echo(harmless(f"Error: {problem}"), err=True)
                failed += 1
            except RequestProblems as found:
                click.echo(harmless(f"Error: {run}: its job would not be accepted today:"), err=True)
                for each in found.problems:
                    click.echo(harmless(f"  {each.pointer or '/'}: {each.message}"), err=True)
                failed += 1
        return failed

    if ask(url, prefix, main):
        raise SystemExit(EXIT_ERROR)


async def _retry(fleet: Fleet, run: str) -> str:
    from agent_workers.fleet.dead import retry as again

    done = await again(fleet, run)
    return json.dumps({"run": done.run, "retry_of": run, "state": done.state})


async def _drop(fleet: Fleet, run: str) -> str:
    from agent_workers.fleet.dead import drop as dropped

    await dropped(fleet, run)
    return harmless(f"{run}: dropped")


def _dead(fleet: Fleet, filters: dict[str, str | None]) -> AsyncIterator[DeadRun]:
    from agent_workers.fleet.dead import Which, dead_runs

    which: Which = Which(**filters)
    return dead_runs(fleet, which)


async def _found(fleet: Fleet, filters: dict[str, str | None], limit: int) -> tuple[list[DeadRun], bool]:
    """Returns as many as are asked for, and whether there are more."""
    found: list[DeadRun] = []
    async for each in _dead(fleet, filters):
        if len(found) == limit:
            return found, True
        found.append(each)
    return found, False


async def _told(fleet: Fleet, run: str) -> tuple[dict[str, Any], Any]:
    from agent_workers.cli.fleet_run_table import rendered_run
    from agent_workers.fleet.fleet import NoSuchRun

    status = await fleet.status(run)
    if status is None:
        raise NoSuchRun(f"there is no run {run}, or it has ended too long ago")
    last = await fleet.last_event(run)
    event = last.event if last and last.is_terminal else None
    return {**status.as_json(), "job": json.loads(status.job), "event": event}, rendered_run(status)
