"""``agent-workers fleet abort`` and ``steer``: what a run is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from agent_workers.cli.fleet_options import ask, redis_options
from agent_workers.cli.harmless import harmless
from agent_workers.errors import EXIT_ERROR, EXIT_RETRYABLE

if TYPE_CHECKING:
    from agent_workers.fleet.fleet import Fleet

_ABORT_HELP = """Stops each RUN: one that waits ends at once, one that runs when its worker hears of it. It ends with
`aborted`. Exit status: 1 where one of them is not there or has ended; the others are stopped all the same.

\b
Examples:
  agent-workers fleet abort RUN
  agent-workers fleet abort RUN && agent-workers fleet follow RUN
"""
_STEER_HELP = """Says a word to the agent of RUN while it works: it reads it with its next tool result, and goes on.

Waits until the agent has read it. Exit status: 1 where it will not, and why; 75 where it has not done so in time: it
stays said, also for a run that has yet to begin, and `steered` in the run's events tells when it is read.

\b
Examples:
  agent-workers fleet steer RUN "Leave the tests as they are."
"""


@click.command(help=_ABORT_HELP, short_help="Stop runs.")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@redis_options
def abort(url: str, prefix: str, runs: tuple[str, ...]) -> None:
    """Stops each of them."""
    if ask(url, prefix, lambda fleet: _abort(fleet, runs)):
        raise SystemExit(EXIT_ERROR)


async def _abort(fleet: Fleet, runs: tuple[str, ...]) -> int:
    from agent_workers.fleet.fleet import NoSuchRun, RunOver

    failed = 0
    for run in runs:
        try:
            await fleet.abort(run)
        except (NoSuchRun, RunOver) as problem:
            click.echo(harmless(f"Error: {problem}"), err=True)
            failed += 1
            continue
        status = await fleet.status(run)
        is_over = status is None or status.is_over
        click.echo(harmless(f"{run}: {'aborted' if is_over else 'its worker is told to stop'}"))
    return failed


@click.command(help=_STEER_HELP, short_help="Say a word to a run's agent.")
@click.argument("run")
@click.argument("text")
@click.option("--actor", help="Who says it, in the application's own words.")
@click.option(
    "--patience-s",
    type=click.FloatRange(0, 86_400),
    default=30,
    show_default=True,
    help="Seconds to wait until it is read.",
)
@redis_options
def steer(url: str, prefix: str, *, run: str, text: str, actor: str | None, patience_s: float) -> None:
    """Says it and waits for the answer."""
    message = {"type": "steer", "text": text} | ({"actor": actor} if actor else {})
    _check(message)
    event = ask(url, prefix, lambda fleet: _tell(fleet, run, message, patience_s))
    if event is None:
        click.echo(f"not read within {patience_s:g} s: it stays said, and the agent may read it yet", err=True)
        raise SystemExit(EXIT_RETRYABLE)
    if event["type"] != "ack":
        raise click.ClickException(f"the run ended before the agent read it: {event['type']}")
    if not event["ok"]:
        raise click.ClickException(harmless(f"the agent will not read it: {event.get('code')}"))
    click.echo("the agent has read it")


def _check(message: dict[str, Any]) -> None:
    from agent_workers.protocol.v1.control import InvalidControl, parse_control
    from agent_workers.wire import dump

    try:
        parse_control(dump({**message, "id": "steer"}))
    except InvalidControl as problem:
        raise click.UsageError(harmless(problem.message)) from None


async def _tell(fleet: Fleet, run: str, message: dict[str, Any], patience_s: float) -> dict[str, Any] | None:
    from agent_workers.fleet.telling import tell

    return await tell(fleet, run, message, patience_s=patience_s)
