"""One start of ``agent-batch``: the batch with its streams and signals."""

from __future__ import annotations

import signal
import sys
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, cast

import anyio

from agent_workers.batch.lines import read_lines
from agent_workers.cli.batch_display import display, say
from agent_workers.cli.batch_output import Output, miss_reader
from agent_workers.cli.batch_size import count_lines
from agent_workers.errors import first_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from io import BufferedReader

    from agent_workers.batch.batch import Batch
    from agent_workers.batch.checkpoint import Checkpoint
    from agent_workers.batch.item import Line
    from agent_workers.batch.totals import Totals
    from agent_workers.cli.batch_economy import Lane
    from agent_workers.client.on_demand import EngineOnDemand


def run_batch(
    start: Callable[..., Batch],
    progress: Checkpoint | None,
    engine: EngineOnDemand,
    lane: Lane | None,
    *,
    records: bool,
    is_told_simulated: bool,
) -> Totals:
    """Runs a batch to its end.

    Args:
        start: Makes the batch, in the event loop that runs it.
        progress: The checkpoint, where there is one.
        engine: Runs requests in this process; entered here.
        lane: Opens the economy lane, where it was asked for.
        records: Whether stdout gets one object for each line instead of the events.
        is_told_simulated: Whether the operator knows that a simulator answers.

    Raises:
        CheckpointUnusable: The checkpoint is of another batch, or cannot be written.
        OutputClosed: Nobody reads what the batch tells.
    """
    try:
        return anyio.run(
            _run, start, progress, engine, lane, partial(Output, records=records, is_told=is_told_simulated)
        )
    except BaseExceptionGroup as several:
        raise first_of(several) from None


async def _run(
    start: Callable[..., Batch],
    progress: Checkpoint | None,
    engine: EngineOnDemand,
    lane: Lane | None,
    make_output: Callable[[], Output],
) -> Totals:
    output = make_output()
    async with engine, lane(engine) if lane else nullcontext() as economy, anyio.create_task_group() as tasks:
        batch = start(output, economy=economy)
        if progress:
            for record in progress.settled.values():
                batch.totals.add(record, earlier=True)
            batch.totals.cost_usd += progress.lost_usd
            batch.totals.usage.update(progress.usage)
            batch.totals.attempts += progress.attempts
        tasks.start_soon(_obey_signals, batch)
        tasks.start_soon(miss_reader, batch)
        tasks.start_soon(display, batch, count_lines(sys.stdin.buffer))
        totals = await batch.run(_lines(progress, output))
        tasks.cancel_scope.cancel()
    totals.simulated = output.is_simulated
    return totals


async def _lines(progress: Checkpoint | None, output: Output) -> AsyncIterator[Line]:
    """Yields the lines. Once the first one shows that it is the same batch, writes what there was no time to write."""
    is_first = True
    async for line in read_lines(cast("BufferedReader", sys.stdin.buffer)):
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
