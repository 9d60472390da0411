"""``agent-batch``: many requests from stdin, some at a time."""

from __future__ import annotations

import math
import os
import resource
import select
import shlex
import signal
import stat
import sys
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import anyio
import click
from anyio import to_thread

from agent_workers import __version__
from agent_workers.batch.batch import Batch, Limits
from agent_workers.batch.checkpoint import Checkpoint, CheckpointLost, CheckpointUnusable
from agent_workers.batch.lines import read_lines
from agent_workers.batch.results_file import lines_to_write
from agent_workers.cli.batch_display import display, say, summary
from agent_workers.client.aio import AsyncProcessRunner
from agent_workers.errors import EXIT_ABORTED, EXIT_OUTPUT_CLOSED, EXIT_REFUSED, OutputClosed
from agent_workers.wire import dump
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import NoReturn

    from agent_workers.batch.item import Line
    from agent_workers.batch.result import Record
    from agent_workers.batch.totals import Totals
    from agent_workers.client.event import Event

_RUN_BYTES = 300 << 20
"""Memory of one run of the agent's CLI and its worker, measured: 250 MB and a little."""
_RUNS_A_PROCESSOR = 4
"""A run takes 1.5 s of processor, measured, in the 5 to 30 s that a model answers."""

_RUN_DESCRIPTORS = 6
"""Descriptors of one run: its pipes, what tells its end and what waits for all of these."""
_DESCRIPTORS = 64
"""Descriptors of the batch itself, and of what starts a worker."""
_LAST_WRITES_S = 3
"""How long a line of a batch that is to end at once waits for a reader that takes nothing."""

_HELP = """Runs many requests, some at a time: JSON lines on stdin, each a request that names its worker.

Writes the events of all runs to stdout, told apart by `run`; with --results one JSON object for each line of stdin
instead: run, line, worker, status, output or text or error, usage, cost_usd, attempts. What may succeed on another try
is tried again, and a rate limit slows all of them.

Ctrl-C or SIGTERM ends it in good order: no more runs begin, and those under way get the grace; a second one aborts
them.
Exit status: 0 all done, 1 some failed, 2 refused, 3 stopped before the end, 4 stdout closed, 75 some failed and may
succeed when it is started again.

\b
Examples:
  agent-batch --results < requests.ndjson > results.ndjson
  agent-batch --results --checkpoint night.checkpoint < requests.ndjson >> results.ndjson
  agent-batch --worker agent-chat --simulate --results < requests.ndjson
  agent-batch --max-cost-usd 20 --deadline 3600 --summary=json < requests.ndjson > events.ndjson
"""


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
@click.option("--concurrency", type=click.IntRange(1, 1000), metavar="N", help="Runs at once. Default: what fits here.")
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
    help="Say on stderr at the end what it came to.",
)
@click.option("--policy", type=click.Path(exists=True, dir_okay=False), metavar="FILE", help="For each worker.")
@click.option("--simulate", is_flag=False, flag_value="", metavar="[=SCENARIO]", help="For each worker.")
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
    arguments = [f"--policy={options['policy']}"] if options["policy"] else []
    if options["simulate"] is not None:
        arguments.append(f"--simulate={options['simulate']}" if options["simulate"] else "--simulate")
    runners = {name: AsyncProcessRunner(name, *arguments) for name in WORKERS}
    runners |= {name: AsyncProcessRunner(*command) for name, command in options["commands"].items()}
    if options["worker"] is not None and options["worker"] not in runners:
        raise click.UsageError(f"--worker names no worker: {options['worker']!r}; one of: {', '.join(runners)}.")
    if options["taken"] and not options["checkpoint"]:
        raise click.UsageError("--taken needs --checkpoint.")
    concurrency = _with_descriptors(options["concurrency"] or _fitting())
    limits = Limits(
        concurrency=concurrency,
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
            say(f"agent-batch: {concurrency} at once{'' if options['simulate'] is None else ' (SIMULATED)'}")
            start = partial(Batch, runners, limits=limits, progress=progress, usual=options["worker"])
            totals = _unwrapped(start, progress, records=options["results"])
            if options["summary"]:
                summary(totals, as_json=options["summary"] == "json")
            status = totals.exit_status
        except CheckpointUnusable as unusable:
            status = EXIT_ABORTED if isinstance(unusable, CheckpointLost) else EXIT_REFUSED
            say(f"agent-batch: {unusable}")
        except OutputClosed:
            status = EXIT_OUTPUT_CLOSED
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(status)  # a thread may still wait for stdin


def _unwrapped(start: Callable[..., Batch], progress: Checkpoint | None, *, records: bool) -> Totals:
    try:
        return anyio.run(_run, start, progress, records)
    except BaseExceptionGroup as faults:
        fault: BaseException = faults
        while isinstance(fault, BaseExceptionGroup):
            fault = fault.exceptions[0]
        raise fault from None


async def _run(start: Callable[..., Batch], progress: Checkpoint | None, records: bool) -> Totals:
    output = _Output(records=records)
    batch = start(output)
    if progress:
        for record in progress.settled.values():
            batch.totals.add(record, earlier=True)
        batch.totals.cost_usd += progress.lost_usd
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_obey_signals, batch)
        tasks.start_soon(_miss_reader, batch)
        tasks.start_soon(display, batch, _count_lines(sys.stdin.buffer))
        totals = await batch.run(_lines(progress, output))
        tasks.cancel_scope.cancel()
    return totals


async def _lines(progress: Checkpoint | None, output: _Output) -> AsyncIterator[Line]:
    """Yields the lines. Once the first one shows that it is the same batch, writes what there was no time to write."""
    is_first = True
    async for line in read_lines(sys.stdin.buffer):
        if progress and is_first:
            progress.has(line)
            await output.records_of_before(progress.untold())
            progress.all_told()
        is_first = False
        yield line


async def _obey_signals(batch: Batch) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async for number in signals:
            name = signal.Signals(number).name
            say(f"agent-batch: {name}: begins no more runs; those under way may end. Once more aborts them.")
            batch.stop("signal")


async def _miss_reader(batch: Batch) -> None:
    """Ends a batch whose reader has gone: its runs would cost, and be for nobody. A file or a terminal cannot tell."""
    mode = os.fstat(1).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return
    poll = select.poll()
    poll.register(1, 0)  # what it tells is an error or the other side's end
    await anyio.wait_readable(1)  # the write end of a pipe becomes readable when its last reader goes
    while not poll.poll(0):  # noqa: ASYNC110 nothing tells of it
        await anyio.sleep(1)
    batch.stop("output_closed")
    batch.stop("output_closed")


class _Output:
    """Stdout: one line at a time, whoever writes it."""

    def __init__(self, *, records: bool) -> None:
        self._records = records
        self._lock = anyio.Lock()
        self._patience_s = math.inf
        self._writing = anyio.CancelScope()
        self._is_closed = False

    def hurry(self) -> None:
        self._patience_s = _LAST_WRITES_S
        self._writing.deadline = min(self._writing.deadline, anyio.current_time() + self._patience_s)

    async def event(self, event: Event) -> None:
        if not self._records:
            await self._write(dump(event) + b"\n")

    async def record(self, record: Record) -> None:
        if self._records:
            await self._write(dump(record) + b"\n")

    async def records_of_before(self, records: list[Record]) -> None:
        """Writes what a killed batch had no time to write, behind a whole line."""
        for line in lines_to_write(1, [dump(record) + b"\n" for record in records] if self._records else []):
            await self._write(line)

    async def _write(self, line: bytes) -> None:
        async with self._lock:
            if not self._is_closed:  # else a line would come behind a half one
                self._is_closed = True
                with anyio.move_on_after(self._patience_s) as self._writing:
                    await to_thread.run_sync(_write, line, abandon_on_cancel=True)
                    self._is_closed = False
                    return
        raise OutputClosed


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(1, view) :]
        except BlockingIOError:
            select.select([], [1], [])  # who gave it may have made it so
        except BrokenPipeError:
            raise OutputClosed from None
        except OSError as error:
            say(f"agent-batch: stdout cannot be written: {error.strerror}")
            raise OutputClosed from None


def _fitting() -> int:
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    pages = os.sysconf("SC_AVPHYS_PAGES") if "SC_AVPHYS_PAGES" in os.sysconf_names else None
    memory = pages * os.sysconf("SC_PAGE_SIZE") // _RUN_BYTES if pages else _RUNS_A_PROCESSOR * processors
    return max(1, min(_RUNS_A_PROCESSOR * processors, memory))


def _with_descriptors(runs: int) -> int:
    """Has so many runs have their descriptors; returns how many have, where the system grants no more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = _DESCRIPTORS + _RUN_DESCRIPTORS * runs
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return max(1, min(runs, (soft - _DESCRIPTORS) // _RUN_DESCRIPTORS))
    return runs


def _count_lines(file: BinaryIO) -> int | None:
    """Counts the lines of a file, to tell how much is left; None for a pipe, whose end nobody knows."""
    if not file.seekable():
        return None
    begin, count = file.tell(), 0
    while chunk := file.read(1 << 20):
        count += chunk.count(b"\n")
    file.seek(begin)
    return count
