"""Reads a run of the fleet and writes it to stdout, as its worker wrote it or for a person."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from agent_workers.cli.harmless import harmless
from agent_workers.ending import exit_status
from agent_workers.errors import EXIT_REFUSED, OutputClosed
from agent_workers.stdio.stdout import Stdout

if TYPE_CHECKING:
    from agent_workers.cli.pretty import Pretty
    from agent_workers.fleet.events import Entry
    from agent_workers.fleet.fleet import Fleet

BEGINNING = "0-0"
"""Stands before the first event of a run."""
_REFUSALS = ("invalid_request", "unsupported_version", "policy_denied", "budget_exhausted")


class Reader:
    """One who reads a run.

    Args:
        run: The run's id.
        after: Id of the last event that was read before.
        pretty: Whether to render the events for a person.
        patience_s: Seconds that Redis may be away.

    Attributes:
        run: The run's id.
        after: Id of the last event that was read.
    """

    def __init__(self, run: str, after: str, *, pretty: bool, patience_s: float) -> None:
        self.run = run
        self.after = after
        self._is_from_the_start = after == BEGINNING
        self._patience_s = patience_s
        self._out = Stdout.claim()
        self._pretty = _pretty(self._out) if pretty else None

    async def read(self, fleet: Fleet) -> int:
        """Reads the run to its end; returns the exit status of a worker that ended so.

        Raises:
            NoSuchRun: There is no such run, or it has ended too long ago.
            RedisAway: Redis stayed away.
            OutputClosed: Nobody reads.
        """
        from agent_workers.fleet.events import place_of
        from agent_workers.fleet.fleet import NoSuchRun

        last = await fleet.last_event(self.run)
        if last and last.is_terminal and last.place <= place_of(self.after):
            click.echo(f"nothing comes after {self.after}: the run has ended", err=True)
            return status_of(last)
        if not last and await fleet.status(self.run) is None:
            raise NoSuchRun(f"there is no run {self.run}, or it has ended too long ago")
        writing = asyncio.create_task(self._write(fleet))
        closed = asyncio.create_task((self._pretty or self._out).wait_closed())
        await asyncio.wait({writing, closed}, return_when=asyncio.FIRST_COMPLETED)
        closed.cancel()
        if not writing.done():
            writing.cancel()
            raise OutputClosed
        return writing.result()

    async def _write(self, fleet: Fleet) -> int:
        from agent_workers.fleet.following import follow_through

        entries = follow_through(fleet, self.run, self.after, patience_s=self._patience_s, away=self._tell_away)
        async for entry in entries:
            if entry.place[0] > int(self.after.partition("-")[0]) > 0:
                self._begin_anew(entry)
            await (self._pretty or self._out).send(entry.line + b"\n")
            self.after = entry.id
            if entry.is_terminal:
                return status_of(entry)
        raise AssertionError("a run's events end with a terminal one")

    def _begin_anew(self, entry: Entry) -> None:
        if not (self._pretty and self._is_from_the_start):  # then what renders it says so itself
            click.echo(f"attempt {entry.place[0]} of the run begins: what came before is void", err=True)

    def _tell_away(self, why: Exception | None) -> None:
        told = f"Redis has gone, and is waited for: {why}" if why else "Redis is back"
        click.echo(harmless(told), err=True)


def status_of(last: Entry) -> int:
    """Returns the exit status of a worker whose run ended with this event."""
    event = last.event
    if event["type"] == "error" and event["code"] in _REFUSALS and event["seq"] == 1:
        return EXIT_REFUSED
    return exit_status(event)


def _pretty(out: Stdout) -> Pretty:
    from agent_workers.cli.pretty import Pretty

    return Pretty(out)
