"""``agent-workers replay``: an earlier run again, without a model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, BinaryIO

import click

from agent_workers.engine.replay import BrokenRecording, ReplayEngine, read_recording
from agent_workers.errors import EXIT_ERROR, EXIT_REFUSED, InvalidRequest
from agent_workers.protocol.v1.request import Request
from agent_workers.protocol.v1.settings import Limits
from agent_workers.stdio.serve import serve_source
from agent_workers.stdio.settings import Settings

if TYPE_CHECKING:
    from agent_workers.engine.base import Engine
    from agent_workers.engine.replay import Recording
    from agent_workers.protocol.v1.body import Body
    from agent_workers.protocol.v1.request import AnyRequest

_LONGEST_S = 604_800  # the recording's own pauses decide how long it takes

_HELP = """Plays the events in FILE (- for stdin) as the worker wrote them: for building front ends, without a model.

The run has the recorded pauses and exit status. Its `start` says `simulated`, and seq, ts, the run id, duration_ms,
pings and acks are its own. Stop signals and a closed stdout end it as they end any run. A recording without a terminal
event ends with the error `worker_lost`.

\b
Examples:
  agent-chat < request.json > run.ndjson
  agent-workers replay run.ndjson
  agent-workers replay --speed 4 --pretty run.ndjson
  agent-workers replay --speed max --keep-run - < run.ndjson
"""


def _speed(context: click.Context, parameter: click.Parameter, value: str) -> float:
    try:
        speed = math.inf if value == "max" else float(value)
    except ValueError:
        speed = math.nan
    if not speed > 0:
        raise click.BadParameter(f"{value!r} is neither a number above 0 nor max.", context, parameter)
    return speed


class RecordingSource:
    """A recording that stands in for the request and the agent.

    Args:
        file: Holds the recording.
        speed: How many times as fast as it was recorded; infinite for no pauses at all.
        keep_run: Whether the run keeps the recorded id.
    """

    name = "agent-workers replay"
    control = None
    companion = None

    def __init__(self, file: BinaryIO, *, speed: float, keep_run: bool) -> None:
        self._file = file
        self._speed = speed
        self._keep_run = keep_run
        self._recording: Recording

    def read(self) -> Request:
        """Reads the recording; the request that led to it is not known.

        Raises:
            InvalidRequest: It is no recording of one run.
        """
        try:
            self._recording = read_recording(self._file.read())
        except BrokenRecording as broken:
            raise InvalidRequest(f"The recording cannot be played: {broken}.") from broken
        limits = Limits(timeout_s=_LONGEST_S, idle_timeout_s=_LONGEST_S)
        request = Request(prompt="Plays a recording.", limits=limits)
        run = self._recording.run if self._keep_run else None
        return request.model_copy(update={"run": run, **self._recording.echo})

    def admit(self, request: AnyRequest) -> AnyRequest:
        """Asks nothing of the host."""
        return request

    def start(self, request: AnyRequest) -> Body | None:
        """Returns the recorded ``start``, now simulated."""
        return self._recording.start

    def launch(self, request: AnyRequest) -> Engine:
        """Returns the recording, about to play."""
        return ReplayEngine(self._recording, speed=self._speed)

    def stop_launch(self) -> None:
        """Does nothing: a recording starts nothing."""

    def drain(self) -> None:
        """Does nothing: the file has been read to its end."""

    def exit_status(self, status: int) -> int:
        """Returns the exit status of the run that was recorded."""
        return EXIT_REFUSED if status == EXIT_ERROR and self._recording.was_refused else status


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
def replay(file: BinaryIO, speed: float, keep_run: bool, pretty: bool) -> None:
    """Plays the recording as a run of this process."""
    output = None
    if pretty:
        from agent_workers.cli.pretty import Pretty

        output = Pretty
    serve_source(RecordingSource(file, speed=speed, keep_run=keep_run), Settings(output=output))
