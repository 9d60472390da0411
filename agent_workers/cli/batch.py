"""``agent-batch``: many requests from stdin, some at a time."""

from __future__ import annotations

import math
import os
import shlex
import sys
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent_workers import __version__
from agent_workers.batch.batch import Batch
from agent_workers.batch.checkpoint import Checkpoint, CheckpointLost, CheckpointUnusable
from agent_workers.batch.limits import Limits
from agent_workers.cli.batch_display import say
from agent_workers.cli.batch_economy import economy_lane, tell_out
from agent_workers.cli.batch_run import run_batch
from agent_workers.cli.batch_runners import batch_runners
from agent_workers.cli.batch_size import places_for
from agent_workers.cli.batch_words import outcome, print_summary, summary_json
from agent_workers.cli.scenario import complete_scenario, known_scenario
from agent_workers.client.on_demand import EngineOnDemand
from agent_workers.errors import EXIT_ABORTED, EXIT_OUTPUT_CLOSED, EXIT_REFUSED, OutputClosed

if TYPE_CHECKING:
    from typing import NoReturn

    from agent_workers.batch.totals import Totals
    from agent_workers.cli.batch_economy import Lane

_HELP = """Runs many requests, some at a time: JSON lines on stdin, each a request that names its worker.

Writes the events of all runs to stdout, told apart by `run`; with --results one JSON object for each line of stdin
instead: run, line, worker, status, output or text or error, usage, cost_usd, attempts. What may succeed on another try
is tried again, and a rate limit slows all of them.

Ctrl-C or SIGTERM ends it in good order: no more runs begin, and those under way get the grace; a second one aborts
them.
Exit status: 0 all done, 1 some failed, 2 refused, 3 stopped before the end, 4 stdout closed, 75 some failed and may
succeed when it is started again, or are out.

\b
Examples:
  agent-batch --results < requests.ndjson > results.ndjson
  agent-batch --results --checkpoint night.checkpoint < requests.ndjson >> results.ndjson
  agent-batch --worker agent-chat --simulate --results < requests.ndjson
  agent-batch --results --economy --checkpoint night.checkpoint < requests.ndjson >> results.ndjson
  agent-batch --max-cost-usd 20 --deadline 3600 --summary=json < requests.ndjson > events.ndjson
"""

_CONCURRENCY_HELP = (
    "Runs at once, of each engine. Default: of the engine agent what fits here, of the engine messages 128."
)


def main() -> None:
    """Runs the program ``agent-batch``."""
    from agent_workers.stdio.inherited import fill_standard_streams, reset_inherited

    reset_inherited()
    fill_standard_streams()
    agent_batch(prog_name="agent-batch")


def _commands(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, list[str]]:
    found = {}
    for value in values:
        name, _, command = value.partition("=")
        words = shlex.split(command)
        if not name or not words:
            raise click.BadParameter(f"{value!r} is not NAME=COMMAND.", context, parameter)
        found[name] = words
    return found


class _Number(click.FloatRange):
    """A number from some on; NaN, which is below and above nothing, would be no limit."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


@click.command(help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--worker", metavar="NAME", help="The worker of lines that name none.")
@click.option("--results", is_flag=True, help="Write one JSON object for each line instead of events.")
@click.option("--concurrency", type=click.IntRange(1, 1000), metavar="N", help=_CONCURRENCY_HELP)
@click.option(
    "--checkpoint",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep there what is done; the same command with the same lines then goes on where it stopped.",
)
@click.option(
    "--taken",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --checkpoint: the reader of stdout notes there, each on a line, the `line` of the results that it has "
    "dealt with; the others are written again.",
)
@click.option(
    "--economy",
    is_flag=True,
    help="Send requests of the engine messages that need no tools and no session through the provider's batch API, at "
    "half the price and within a day; needs --checkpoint. What is out at the end is told, with exit status 75: come "
    "again.",
)
@click.option("--wait", is_flag=True, help="With --economy: wait for what is out.")
@click.option("--attempts", type=click.IntRange(1), default=4, show_default=True, help="How often to try a request.")
@click.option("--max-cost-usd", type=_Number(0), metavar="USD", help="Begin no run once all have cost that.")
@click.option("--max-errors", type=click.IntRange(1), metavar="N", help="Begin no run once so many lines have failed.")
@click.option("--deadline", type=_Number(0), metavar="SECONDS", help="Stop after so long.")
@click.option("--grace", type=_Number(0), default=30, show_default=True, help="Seconds for runs to end.")
@click.option(
    "--summary",
    type=click.Choice(["table", "json"]),
    is_flag=False,
    flag_value="table",
    metavar="[=json]",
    help="Say more on stderr at the end of what it came to. In JSON `earlier` are those of `done` and `failed` that an "
    "earlier start has settled, which count in `cost_usd`, `usage` and `attempts`, too; `out` are with the batch API.",
)
@click.option("--policy", type=click.Path(exists=True, dir_okay=False), metavar="FILE", help="For each worker.")
@click.option(
    "--simulate",
    is_flag=False,
    flag_value="",
    metavar="[=SCENARIO]",
    callback=known_scenario,
    shell_complete=complete_scenario,
    help="For each worker.",
)
@click.option(
    "--command",
    "commands",
    multiple=True,
    callback=_commands,
    metavar="NAME=COMMAND",
    help="Lines may name this worker too; may be repeated.",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def agent_batch(**options: Any) -> NoReturn:
    """Runs a batch and ends the process with its exit status."""
    places = places_for(options["concurrency"])
    given = {"policy": options["policy"], "simulate": options["simulate"]}
    engine = EngineOnDemand(**given, connections=places.here)
    runners = batch_runners(options["commands"], engine, **given)
    if options["worker"] is not None and options["worker"] not in runners:
        raise click.UsageError(f"--worker names no worker: {options['worker']!r}; one of: {', '.join(runners)}.")
    if options["taken"] and not options["checkpoint"]:
        raise click.UsageError("--taken needs --checkpoint.")
    if options["economy"] and not options["checkpoint"]:
        raise click.UsageError("--economy needs --checkpoint, which keeps what is out.")
    if options["wait"] and not options["economy"]:
        raise click.UsageError("--wait needs --economy.")
    limits = Limits(
        concurrency=places.apart,
        here=places.here,
        attempts=options["attempts"],
        max_cost_usd=options["max_cost_usd"],
        max_errors=options["max_errors"],
        deadline_s=options["deadline"],
        grace_s=options["grace"],
    )
    status = EXIT_REFUSED
    with ExitStack() as open_files:
        try:
            progress = Checkpoint(options["checkpoint"], options["taken"]) if options["checkpoint"] else None
            if progress:
                open_files.callback(progress.close)
            if progress and not options["economy"]:
                _refuse_what_is_out(progress, options["checkpoint"])
            say(f"agent-batch: {places}{'' if options['simulate'] is None else ' (SIMULATED)'}")
            start = partial(
                Batch,
                runners,
                limits=limits,
                progress=progress,
                usual=options["worker"],
                wants_events=not options["results"],
            )
            lane = _lane(progress, list(runners), options) if options["economy"] and progress else None
            is_told = options["simulate"] is not None
            totals = run_batch(start, progress, engine, lane, records=options["results"], is_told_simulated=is_told)
            _tell(totals, options["summary"])
            tell_out(totals)
            status = totals.exit_status
        except CheckpointUnusable as unusable:
            status = EXIT_ABORTED if isinstance(unusable, CheckpointLost) else EXIT_REFUSED
            say(f"agent-batch: {unusable}")
        except OutputClosed:
            status = EXIT_OUTPUT_CLOSED
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(status)  # a thread may still wait for stdin


def _tell(totals: Totals, how: str | None) -> None:
    if how == "json":
        say(summary_json(totals))
    elif how:
        print_summary(totals)
    else:
        say(f"agent-batch: {outcome(totals)}")


def _lane(checkpoint: Checkpoint, workers: list[str], options: dict[str, Any]) -> Lane:
    return partial(
        economy_lane,
        checkpoint,
        workers=workers,
        usual=options["worker"],
        wait=options["wait"],
    )


def _refuse_what_is_out(checkpoint: Checkpoint, path: Path) -> None:
    if out := checkpoint.out():
        lines = "1 line" if out == 1 else f"{out} lines"
        raise CheckpointUnusable(
            f"{path} has {lines} out at the batch API, which would run and be paid once more. "
            "Add --economy, or name another checkpoint."
        )
