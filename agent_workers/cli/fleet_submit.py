"""``agent-workers fleet submit``: jobs into the fleet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from agent_workers.cli.fleet_follow import follow_run
from agent_workers.cli.fleet_options import ask, redis_options
from agent_workers.cli.harmless import harmless
from agent_workers.errors import EXIT_REFUSED

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_workers.fleet.fleet import Fleet
    from agent_workers.fleet.reading import ReadJob

_HELP = """Submits the job in FILE, by default stdin, or several: one on each line. Prints a line for each:
{"run": …, "state": …, "new": …}; new is false where the same job with the same `run` came before, which runs once.

All jobs are checked before the first is submitted: where one is not valid, none is, and every fault is told, with its
line. Exit status: 0 submitted; 2 a job is not valid, or its `run` is another job's; 75 Redis cannot be reached: submit
the same again; what came in already is known by its `run`, so give each job one. Options count in the place of what the
jobs say. --follow and --pretty end as agent-workers fleet follow does.

\b
Examples:
  echo '{"worker": "agent-chat", "prompt": "Hello"}' | agent-workers fleet submit
  agent-workers fleet submit job.json --pretty
  agent-workers fleet submit jobs.ndjson --queue bulk --tenant acme
  echo '{"prompt": "Hello"}' | agent-workers fleet submit --worker agent-chat --run-at 2026-12-01T08:00:00Z
"""
_OPTIONS: dict[str, tuple[Any, str]] = {
    "worker": (None, "Whose job it is, such as agent-chat."),
    "queue": (None, "Where it waits."),
    "tenant": (None, "For whom it is: tenants take turns."),
    "priority": (click.INT, "From -9 to 9; higher comes sooner among its tenant's."),
    "run-at": (None, "Not before this time, such as 2026-12-01T08:00:00Z."),
    "expires-at": (None, "Not begun after this time."),
    "attempts": (click.INT, "How often it is tried, from 1 to 10."),
    "credential": (None, "Name of the key that it uses, on the machine that runs it."),
}


def _job_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for name, (kind, text) in reversed(_OPTIONS.items()):
        command = click.option(f"--{name}", type=kind, help=text)(command)
    return command


@click.command(help=_HELP, short_help="Submit jobs.")
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--follow", is_flag=True, help="Then write the run's events, byte for byte; for one job.")
@click.option("--pretty", is_flag=True, help="The same, rendered for a person.")
@_job_options
@redis_options
def submit(url: str, prefix: str, file: BinaryIO, follow: bool, pretty: bool, **given: Any) -> None:
    """Submits what was given."""
    if file.isatty():
        raise click.UsageError("name the FILE with the job, or pipe it in")
    jobs = _read(file.read(), {name: value for name, value in given.items() if value is not None})
    is_followed = follow or pretty
    if is_followed and len(jobs) > 1:
        raise click.UsageError(f"--follow and --pretty are for one job, and these are {len(jobs)}")
    refused = ask(url, prefix, lambda fleet: _submit(fleet, jobs, quiet=is_followed))
    if refused:
        raise SystemExit(EXIT_REFUSED)
    if is_followed:
        follow_run(url, prefix, jobs[0].job.run, pretty=pretty)


def _read(data: bytes, given: dict[str, Any]) -> list[ReadJob]:
    from agent_workers.fleet.reading import read_jobs

    jobs, faults = read_jobs(data, given)
    for fault in faults:
        click.echo(harmless(str(fault)), err=True)
    if faults:
        click.echo("Nothing was submitted.", err=True)
        raise SystemExit(EXIT_REFUSED)
    return jobs


async def _submit(fleet: Fleet, jobs: list[ReadJob], *, quiet: bool) -> int:
    """Submits each job; returns how many were refused."""
    from agent_workers.fleet.fleet import RunTaken

    refused = 0
    for line, job in jobs:
        try:
            done = await fleet.submit(job)
        except RunTaken as taken:
            click.echo(harmless(f"line {line}: /run: {taken}"), err=True)
            refused += 1
            continue
        told = json.dumps({"run": done.run, "state": done.state, "new": done.is_new})
        click.echo(f"run {harmless(done.run)}" if quiet else told, err=quiet)
        if quiet and done.state == "queued" and not await fleet.is_served(queue := job.fields.queue):
            start = f"agent-workers fleet work --queue {queue}"
            click.echo(
                f"No process takes jobs of the queue {queue}: the run waits for one. Start it: {start}", err=True
            )
    return refused
