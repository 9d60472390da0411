"""Stdout of ``agent-batch``: one line at a time, whoever writes it, for as long as somebody reads it."""

from __future__ import annotations

import math
import os
import select
import stat
from contextlib import nullcontext
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from agent_workers.batch.results_file import lines_to_write
from agent_workers.batch.together import Together
from agent_workers.cli.batch_display import aside, say
from agent_workers.errors import OutputClosed
from agent_workers.wire import dump

if TYPE_CHECKING:
    from agent_workers.batch.batch import Batch
    from agent_workers.batch.result import Record
    from agent_workers.client.event import Event

_LAST_WRITES_S = 3
"""How long a line of a batch that is to end at once waits for a reader that takes nothing."""


class Output:
    """What a batch tells; see ``Sink``.

    Args:
        records: Whether it is one object for each line instead of the events.
        is_told: Whether the operator knows, where a simulator answers.

    Attributes:
        is_simulated: Whether one has answered.
    """

    def __init__(self, *, records: bool, is_told: bool = False) -> None:
        self.is_simulated = False
        self._is_told = is_told
        self._is_terminal = os.isatty(1)
        self._records = records
        self._lines: list[bytes] = []
        self._write = Together(self._write_lines)
        self._thread = anyio.CapacityLimiter(1)
        self._patience_s = math.inf
        self._writing = anyio.CancelScope()
        self._is_closed = False

    def hurry(self) -> None:
        """Waits no longer for a reader that takes nothing."""
        self._patience_s = _LAST_WRITES_S
        self._writing.deadline = min(self._writing.deadline, anyio.current_time() + self._patience_s)

    async def event(self, event: Event) -> None:
        """Writes an event, where events are wanted."""
        if event.get("simulated") and not self.is_simulated:
            self.is_simulated = True
            if not self._is_told:
                say("agent-batch: SIMULATED: a script answers, not a model")
        if not self._records:
            await self._put(dump(event) + b"\n")

    async def record(self, record: Record) -> None:
        """Writes what a line has come to, where that is wanted."""
        if self._records:
            await self._put(dump(record) + b"\n")

    async def records_of_before(self, records: list[Record]) -> None:
        """Writes what a killed batch had no time to write, behind a whole line."""
        for line in lines_to_write(1, [dump(record) + b"\n" for record in records] if self._records else []):
            await self._put(line)

    async def _put(self, line: bytes) -> None:
        self._lines.append(line)
        await self._write.done()

    async def _write_lines(self) -> None:
        """Writes what is there, from one thread, which may wait for the reader."""
        if self._is_closed:  # else a line would come behind a half one
            raise OutputClosed
        lines, self._lines = self._lines, []
        self._is_closed = True
        with aside() if self._is_terminal else nullcontext(), anyio.move_on_after(self._patience_s) as self._writing:
            await to_thread.run_sync(_write, b"".join(lines), abandon_on_cancel=True, limiter=self._thread)
            self._is_closed = False
            return
        raise OutputClosed


async def miss_reader(batch: Batch) -> None:
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
