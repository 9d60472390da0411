"""``agent-workers records record``: events of a run into the records, and on to whoever reads them."""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from agent_workers.cli.records_options import database_options, settings_of, telling

if TYPE_CHECKING:
    from agent_workers.records import Recorder, Recording

_HELP = """Records the events of a run in FILE, by default stdin, and writes each line on to stdout as it came, at once.

So it stands in a pipe behind a worker. No answer waits for the database, or ends because of it: where that takes
nothing, the records wait on this machine's disk, and agent-workers records flush, or the next run that is recorded,
writes them. What is not an event is passed on and not recorded. Where stdout goes away, so does this, and the worker
before it is stopped.

\b
Examples:
  agent-chat < request.json | agent-workers records record --request request.json
  agent-workers records record --request request.json --user 7 run.ndjson > /dev/null
"""
_KNOWN = {
    "worker": "The worker's name; that of `start` when absent.",
    "user": "For whom it runs; the request's `user` when absent.",
    "tenant": "For which of your customers.",
    "conversation": "Id of the conversation in your application; the session's id when absent.",
}


@click.command(help=_HELP, short_help="Record a run's events, and pass them on.")
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--request", type=click.File("rb"), help="The request of the run, which holds the question.")
@click.option("--worker", help=_KNOWN["worker"])
@click.option("--user", help=_KNOWN["user"])
@click.option("--tenant", help=_KNOWN["tenant"])
@click.option("--conversation", help=_KNOWN["conversation"])
@click.option("--keep", type=click.Choice(["everything", "no-tools", "metadata"]), help="What of it is kept.")
@click.option(
    "--redact",
    type=click.Choice(["email", "iban", "phone"]),
    multiple=True,
    help="What is taken out of all texts; may be given several times.",
)
@click.option("--event", "events", multiple=True, help="A type of events that is kept as it came; several, or *.")
@database_options
def record(
    file: BinaryIO,
    request: BinaryIO | None,
    database: str | None,
    config: str | None,
    conversation: str | None,
    **given: Any,
) -> None:
    """Records one run."""
    kept = {name: given.pop(name) for name in ("keep", "redact", "events")}
    logging.basicConfig(format="records: %(message)s", level=logging.WARNING)
    document = _request(request)
    known = {name: value for name, value in given.items() if value is not None}
    if conversation:
        known["conversation_id"] = conversation
    with telling():
        from agent_workers.records import Recorder

        settings = settings_of(database, config, **kept)
        recorder = Recorder(settings=settings)
    try:
        _Pipe(recorder, document, known, is_live=file.name == "<stdin>").run(file)
    finally:
        if not recorder.close():
            click.echo("records: they wait on disk; agent-workers records flush writes them.", err=True)


class _Pipe:
    """Passes lines on, and has the events among them recorded."""

    def __init__(self, recorder: Recorder, request: dict[str, Any], known: dict[str, Any], *, is_live: bool) -> None:
        self._recorder = recorder
        self._request = request
        self._known = known
        self._recording: Recording | None = None
        if is_live and isinstance(run := request.get("run"), str):
            self._recording = recorder.begin(request, run=run, **known)

    def run(self, file: BinaryIO) -> None:
        code = "worker_lost"
        try:
            for line in iter(file.readline, b""):
                self._take(line)  # first, so that nothing is read by anyone that is not recorded
                try:
                    sys.stdout.buffer.write(line)
                    sys.stdout.buffer.flush()
                except BrokenPipeError:
                    code = ""  # whoever read the run has gone
                    break
        except KeyboardInterrupt:
            code = ""
        if self._recording:
            self._recording.end(code)
        if not code:
            from agent_workers.errors import EXIT_OUTPUT_CLOSED

            _forget_stdout()
            sys.exit(EXIT_OUTPUT_CLOSED)

    def _take(self, line: bytes) -> None:
        from agent_workers.records.about import moment
        from agent_workers.wire import MAX_LINE

        if len(line) > 4 * MAX_LINE:
            return
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(event, dict) or not isinstance(event.get("run"), str):
            return
        if self._recording is None:
            known = {**self._known, "at": at} if (at := moment(event.get("ts"))) else self._known
            self._recording = self._recorder.begin(self._request, run=event["run"], **known)
        self._recording.take(event, line)


def _request(file: BinaryIO | None) -> dict[str, Any]:
    if file is None:
        return {}
    from agent_workers.protocol.document import parse_json
    from agent_workers.protocol.v1.problem import RequestProblems

    try:
        found = parse_json(file.read())
    except RequestProblems as refused:
        raise click.UsageError(f"--request: {'; '.join(problem.message for problem in refused.problems)}") from None
    if not isinstance(found, dict):
        raise click.UsageError("--request: a request is a JSON object")
    return found


def _forget_stdout() -> None:
    """Keeps Python from writing what is left to a stdout that has gone."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
