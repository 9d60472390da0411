"""Where an attempt's events go: into the run's stream, several at a time, for as long as Redis takes to be there."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import anyio
from redis.exceptions import ConnectionError as RedisGone
from redis.exceptions import MasterDownError, OutOfMemoryError, ReadOnlyError, RedisError, TryAgainError
from redis.exceptions import TimeoutError as RedisSlow

from agent_workers.chain import BEGINNING, head_of, is_on, prev_of
from agent_workers.fleet.scripts import Line
from agent_workers.fleet.serving.figures import Figures

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent_workers.fleet.scripts import Ended, Held, Scripts

logger = logging.getLogger("agent_workers.fleet")

_MOST_BYTES = 8 * 1024 * 1024
_AT_ONCE = 200
_PAUSE_S = 0.2
_PASSING = (RedisGone, RedisSlow, MasterDownError, OutOfMemoryError, ReadOnlyError, TryAgainError)
_REMEMBERED_S = 5.0  # appendfsync everysec, the usual one, may lose two seconds where its machine loses its power


class LeaseLost(Exception):
    """Raised where the run is another slot's by now, or nobody's: what is still said here is not its."""


class RunSink:
    """Writes the events of one attempt.

    Args:
        scripts: Write.
        held: The run, and who has it in hand.
        attempt: Number of the attempt.

    Attributes:
        last: Number of the last event that was taken.
        figures: What is noted of the run.
    """

    def __init__(self, scripts: Scripts, held: Held, attempt: int) -> None:
        self._scripts = scripts
        self._held = held
        self._attempt = attempt
        self._waiting: list[Line] = []
        self._bytes = 0
        self._written: deque[tuple[float, Line]] = deque()
        self._last = 0
        self._before: bytes | None = None
        self._more = anyio.Event()
        self._less = anyio.Event()
        self._is_lost = False
        self.last = 0
        self.figures = Figures()

    @property
    def head(self) -> str | None:
        """What the next line has to name in ``prev``; None where the lines of this attempt are not chained."""
        if self._before is None:
            return BEGINNING if is_on(os.environ) else None
        return head_of(self._before) if prev_of(self._before) else None

    def lose(self) -> None:
        """Takes note that the run is another slot's."""
        self._is_lost = True
        self._less.set()

    async def take(self, event: dict[str, Any], data: bytes) -> None:
        """Takes an event that is not terminal. It waits only where Redis is far behind.

        Raises:
            LeaseLost: See there.
        """
        self.figures.see(event)
        self.last = event["seq"]
        self._before = data
        self._waiting.append(Line(event["seq"], data, event["type"] == "app_tool_call"))
        self._bytes += len(data)
        self._more.set()
        while self._bytes > _MOST_BYTES and not self._is_lost:
            self._less = anyio.Event()
            await self._less.wait()
        self._check()

    async def write(self) -> None:
        """Writes what was taken, until it is cancelled.

        Raises:
            LeaseLost: See there.
        """
        while True:
            await self._more.wait()
            self._more = anyio.Event()
            await self.flush()

    async def flush(self) -> None:
        """Writes what was taken by now."""
        while self._waiting:
            lines = self._waiting[:_AT_ONCE]
            await self._write(lines, None)
            del self._waiting[: len(lines)]
            self._bytes -= sum(len(line.data) for line in lines)
            self._less.set()

    async def end(self, seq: int, data: bytes, ended: Ended) -> None:
        """Writes what is left, and the terminal event.

        Raises:
            LeaseLost: See there.
        """
        await self._write([*self._waiting, Line(seq, data)], ended)

    async def again(self, delay_ms: int, *, is_failure: bool, last: Line | None) -> None:
        """Gives the run back for another attempt, after a last event.

        Raises:
            LeaseLost: See there.
        """
        await self.flush()
        given = (self._held, self._attempt)
        await self._insist(lambda: self._scripts.requeue(*given, delay_ms=delay_ms, is_failure=is_failure, last=last))

    async def _write(self, lines: list[Line], ended: Ended | None) -> None:
        fields = self.figures.changed()
        if prev_of(lines[-1].data):
            fields["head"] = head_of(lines[-1].data)

        async def write() -> bool:
            said = await self._scripts.write(
                self._held, self._attempt, lines, last=self._last, fields=fields, ended=ended
            )
            while said.missing_after is not None:
                missing = [line for _, line in self._written if line.seq > said.missing_after]
                logger.warning("Redis has come back without %d events; they are written again", len(missing))
                said = await self._scripts.write(
                    self._held, self._attempt, [*missing, *lines], last=said.missing_after, fields=fields, ended=ended
                )
            return said.is_held

        await self._insist(write)
        self._note_written(lines)
        self.figures.note_written(fields)

    def _note_written(self, lines: list[Line]) -> None:
        now = time.monotonic()
        self._written.extend((now, line) for line in lines)
        self._last = max([self._last, *(line.seq for line in lines)])
        while self._written and now - self._written[0][0] > _REMEMBERED_S:
            self._written.popleft()

    async def _insist(self, write: Callable[[], Awaitable[bool]]) -> None:
        """Writes as often as it takes: said twice is written once."""
        since = None
        while True:
            self._check()
            try:
                if not await write():
                    self.lose()
            except (RedisGone, RedisSlow, RedisError) as error:
                if not may_pass(error):
                    raise
                if since is None:
                    since = time.monotonic()
                    logger.warning("Redis does not take events; they wait here: %s", error)
                await anyio.sleep(_PAUSE_S)
                continue
            if since is not None:
                logger.warning("Redis takes events again, after %.1f s", time.monotonic() - since)
            self._check()
            return

    def _check(self) -> None:
        if self._is_lost:
            raise LeaseLost


def may_pass(error: RedisError) -> bool:
    """Whether Redis has an error for a while only: it is away, starts, fails over, or has no memory left."""
    words = str(error).upper()  # of some errors redis-py has made a class, and taken their code off the words
    passing = ("LOADING", "READONLY", "MASTERDOWN", "TRYAGAIN", "OOM", "MISCONF", "NOREPLICAS", "BUSY", "UNBLOCKED")
    return isinstance(error, _PASSING) or any(word in words for word in passing)
