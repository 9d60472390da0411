"""Commands on what stands in the records: made, written late, removed, and told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from agent_workers.cli.harmless import harmless
from agent_workers.cli.records_options import Age, Unreachable, before, database_options, opened

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from agent_workers.records.recorder import Place
    from agent_workers.records.retention import Removed, Session


@click.command(short_help="Make the tables that are missing.")
@database_options
def init(database: str | None, config: str | None) -> None:
    """Makes the tables that are missing; those that are there stay as they are.

    Where Laravel's migrations have made them, there is nothing to do.
    """
    from agent_workers.records.database import shown

    with opened(database, config) as place:
        place.tables.create(place.engine)
        click.echo(f"The tables are there: {shown(place.address)}")


@click.command(short_help="Write what waits on disk.")
@database_options
def flush(database: str | None, config: str | None) -> None:
    """Writes what waits on this machine's disk for the database, other than what a process at work still holds.

    Exit status: 0 all of it is written; 75 the database takes nothing now.
    """
    with opened(database, config) as place:
        written = _flush(place)
        left, size = place.spool.waiting()
        click.echo(f"written: {_count(written, 'run')}")
        if place.writer.dropped:
            click.echo(f"dropped before, for want of room: {_count(place.writer.dropped, 'content')}")
        if left:
            click.echo(f"held by a process at work: {_count(left, 'run')}, {size} bytes")


@click.command(short_help="Remove old runs.")
@click.option("--older-than", type=Age(), required=True, help="Age of the runs, such as 90d: 12h, 90d, 8w, 2y.")
@click.option("--keep-usage", is_flag=True, help="Keep what they have used.")
@database_options
def prune(older_than: timedelta, *, keep_usage: bool, database: str | None, config: str | None) -> None:
    """Removes the runs that began so long ago, with their messages, events and insights, and their session files here.

    Events of your own, with an aggregate_id, stay.
    """
    from agent_workers.records.retention import prune as remove

    with opened(database, config) as place:
        _flush(place)
        _tell(remove(place.engine, place.tables, before(older_than), keep_usage=keep_usage))


@click.command(short_help="Remove all that is a user's.")
@click.option("--user", required=True, help="The user, as your application knows them.")
@click.option("--keep-usage", is_flag=True, help="Keep what the runs have used, without the user.")
@database_options
def forget(user: str, *, keep_usage: bool, database: str | None, config: str | None) -> None:
    """Removes the runs and conversations of a user, and their session files on this machine.

    What they decided in others' runs stays, without their name.
    """
    from agent_workers.records.retention import forget as remove

    with opened(database, config) as place:
        _flush(place)
        _tell(remove(place.engine, place.tables, user, keep_usage=keep_usage))


@click.command(short_help="Write rows as JSON lines.")
@click.option("--user", help="Only what is this user's.")
@click.option("--run", help="Only what is of this run.")
@database_options
def export(user: str | None, run: str | None, database: str | None, config: str | None) -> None:
    """Writes what is recorded to stdout, a row a line: {"table": …, "row": …}."""
    from agent_workers.records.reading import exported

    with opened(database, config) as place:
        for table, row in exported(place.engine, place.tables, user=user, run=run):
            click.echo(json.dumps({"table": table, "row": row}, separators=(",", ":")))


def _flush(place: Place) -> int:
    """Writes what waits; returns how many journals."""
    written = 0
    for journal in place.spool.leftovers():
        try:
            written += place.writer.drain(place.spool, journal)
        finally:
            journal.leave()
    return written


def _tell(steps: Iterable[Removed]) -> None:
    """Removes session files along with the rows, and says what was removed."""
    runs = files = 0
    failed: list[str] = []
    for step in steps:
        runs += step.runs
        for session in step.sessions:
            try:
                files += _remove_files(session)
            except OSError as error:
                failed.append(str(error))
    click.echo(f"removed: {_count(runs, 'run')}, and the files of {_count(files, 'session')} here")
    for words in failed:
        click.echo(harmless(words), err=True)
    if failed:
        raise Unreachable("some session files are left; agent-workers sessions prune removes them")


def _remove_files(session: Session) -> bool:
    """Removes what is on this machine of a session; says whether there was anything."""
    from agent_workers.client.session_files import SessionFiles
    from agent_workers.errors import WorkerError

    is_here = False
    # A simulator that a variable names leaves them where others are; that of --simulate keeps them apart.
    for is_apart in (True, False) if session.is_simulated else (False,):
        try:
            files = SessionFiles(simulated=is_apart)
            is_here = files.locate(session.id) is not None or is_here
            files.remove(session.id)
        except WorkerError as error:
            raise OSError(f"session {session.id}: {error.message}") from error
    return is_here


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
