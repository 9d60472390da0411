"""``agent-workers replay``: an earlier run again, without a model."""

from __future__ import annotations

import math
from typing import BinaryIO

import click

_HELP = """Plays the events in FILE (- for stdin) as the worker wrote them: for building front ends, without a model.

The run has the recorded pauses and exit status. Its `start` says `simulated`, and seq, ts, the run id, duration_ms,
pings and acks are its own. Stop signals and a closed stdout end it as they end any run. A recording without a terminal
event ends with the error `worker_lost`.

With --control it stands in for a worker, also where a fleet or a client starts that: the first line of stdin is a
request, of which run, metadata, subject, user, goal, attempt and traceparent are kept, and control messages follow.

\b
Examples:
  agent-chat < request.json > run.ndjson
  agent-workers replay run.ndjson
  agent-workers replay --speed 4 --pretty run.ndjson
  agent-workers replay --speed max --keep-run - < run.ndjson
  echo '{"prompt": "Hello", "run": "r-1"}' | agent-workers replay --control run.ndjson
  agent-workers fleet work --worker agent-chat="agent-workers replay run.ndjson"
"""


def _speed(context: click.Context, parameter: click.Parameter, value: str) -> float:
    try:
        speed = math.inf if value == "max" else float(value)
    except ValueError:
        speed = math.nan
    if not speed > 0:
        raise click.BadParameter(f"{value!r} is neither a number above 0 nor max.", context, parameter)
    return speed


@click.command(help=_HELP, short_help="Play a recorded run again, without a model.")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--speed",
    metavar="FACTOR|max",
    default="1",
    callback=_speed,
    help="How many times as fast, 1 by default; max: without pauses.",
)
@click.option("--keep-run", is_flag=True, help="Keep the recorded run id instead of a new one.")
@click.option("--pretty", is_flag=True, help="Render the events for a person instead of writing JSON.")
@click.option("--control", is_flag=True, help="Read a request, then control messages, from stdin.")
@click.option("--credential-fd", type=click.IntRange(0), hidden=True, help="Where a worker reads its key.")
def replay(
    file: BinaryIO, *, speed: float, keep_run: bool, pretty: bool, control: bool, credential_fd: int | None
) -> None:
    """Plays the recording as a run of this process."""
    if control and (keep_run or file.name == "<stdin>"):
        raise click.UsageError("with --control the run's id comes from the request, which is on stdin")
    # The other commands of the umbrella do not pay for these.
    from agent_workers.cli.recording import RecordingSource
    from agent_workers.stdio.serve import serve_source
    from agent_workers.stdio.settings import Settings

    output = None
    if pretty:
        from agent_workers.cli.pretty import Pretty

        output = Pretty
    if not control:
        serve_source(RecordingSource(file, speed=speed, keep_run=keep_run), Settings(output=output))

    from agent_workers.cli.recording import RequestedRecording
    from agent_workers.stdio.credential import DescriptorCredential
    from agent_workers.stdio.stdin import Stdin

    credential = None if credential_fd is None else DescriptorCredential(credential_fd)
    source = RequestedRecording(file, Stdin(RequestedRecording.name), speed=speed, credential=credential)
    serve_source(source, Settings(output=output, control=True))
