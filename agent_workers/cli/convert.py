"""``agent-workers convert``: a run's events as the frames that front ends of others read."""

from __future__ import annotations

import os
import select
import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from agent_workers.convert import FORMATS, NotAnEvent, lost, read_event
from agent_workers.errors import EXIT_ABORTED, EXIT_DONE, EXIT_ERROR, EXIT_OUTPUT_CLOSED, EXIT_REFUSED, EXIT_RETRYABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.convert import Encoder, Event

_LONGEST_LINE = 1 << 20
_CHUNK = 1 << 16
_PATIENCE_S = 6  # a worker that is stopped ends within 5 s
_GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL

_HELP = """Reads a run's events from stdin and writes the server-sent events of a front end's protocol, as they come.

\b
  native    the events themselves, with ids to go on after: packages/react
  ai-sdk    the UI message stream of Vercel's AI SDK 7: useChat
  ag-ui     AG-UI 1.0
  laravel   response()->eventStream(): useEventStream

Send ai-sdk with the header x-vercel-ai-ui-message-stream: v1. A stream that ends without a terminal event ends with the
error `worker_lost`, and so does one with a line that is no event, which is told on stderr. The exit status is the
run's own: 0 done, 1 error, 2 refused, 3 aborted, 75 an error that is worth another try; 4 where nobody reads.

\b
Examples:
  agent-chat < request.json | agent-workers convert --to ai-sdk
  agent-workers replay --speed 4 run.ndjson | agent-workers convert --to ag-ui
"""


class _Gone(Exception):
    """Raised when nobody reads stdout any more."""


@click.command(
    help=_HELP,
    short_help="Write a run's events as a front end reads them.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--to", "name", type=click.Choice(list(FORMATS)), required=True, help="The protocol.")
def convert(name: str) -> None:
    """Converts one run, and ends as it has ended."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave_the_last_words)
    try:
        status = _convert(FORMATS[name]())
    except _Gone:
        status = EXIT_OUTPUT_CLOSED
    raise SystemExit(status)


def _leave_the_last_words(number: int, _: object) -> None:
    """Has the worker end first: Ctrl-C, and the end of a service, reach it, too, and what it says then is to be told.

    The next signal ends this program at once. So does SIGTERM, after more time than a worker takes to end: it may have
    come to this program alone.
    """
    signal.signal(number, signal.SIG_DFL)
    if number == signal.SIGTERM:
        signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGTERM))
        signal.alarm(_PATIENCE_S)


def _convert(encoder: Encoder) -> int:
    _write(encoder.opening())
    last: Event | None = None
    status = None
    for number, line in enumerate(_lines(), 1):
        try:
            event = read_event(line)
        except NotAnEvent as fault:
            click.echo(f"agent-workers convert: line {number} of stdin is no event of a run: {fault}.", err=True)
            status = EXIT_ERROR
            break
        is_first, last = last is None, event
        if event.type in ("done", "error", "aborted"):
            _write(encoder.event(event) + encoder.closing())
            return _status(event, is_refusal=is_first)
        _write(encoder.event(event))
    ending = lost(last, datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"))
    _write(encoder.event(ending) + encoder.closing())
    return status or _status(ending, is_refusal=False)


def _status(event: Event, *, is_refusal: bool) -> int:
    """Returns the exit status of the worker whose run has ended so."""
    if event.type == "error":
        if event.fields.get("retryable") is True:
            return EXIT_RETRYABLE
        return EXIT_REFUSED if is_refusal else EXIT_ERROR
    return EXIT_DONE if event.type == "done" else EXIT_ABORTED


def _lines() -> Iterator[bytes]:
    """Yields each line of stdin when it has come. A last one that is cut is none, for the worker died in its midst.

    Raises:
        _Gone: Nobody reads stdout any more.
    """
    poll = select.poll()
    poll.register(0, select.POLLIN)
    poll.register(1, 0)
    rest = b""
    while True:
        if dict(poll.poll()).get(1, 0) & _GONE:
            raise _Gone
        chunk = _read()
        if not chunk:
            if _is_whole(rest):
                yield rest
            return
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
        if len(rest) > _LONGEST_LINE:
            yield rest  # which is no event, and said to be none


def _read() -> bytes:
    try:
        return os.read(0, _CHUNK)
    except OSError as fault:
        click.echo(f"agent-workers convert: stdin cannot be read: {fault.strerror}.", err=True)
        return b""


def _is_whole(line: bytes) -> bool:
    try:
        read_event(line)
    except NotAnEvent:
        return False
    return True


def _write(frames: str) -> None:
    left = memoryview(frames.encode())
    while left:
        try:
            left = left[os.write(1, left) :]
        except BlockingIOError:
            select.select([], [1], [])
        except OSError:
            raise _Gone from None
