"""Journals into the database."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnection

from agent_workers.records.changes import EVENTS, INSIGHTS, MESSAGES, Dropped, Put, settled
from agent_workers.records.upserts import Writing

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from agent_workers.records.changes import Change
    from agent_workers.records.journal import Journal
    from agent_workers.records.spool import Spool
    from agent_workers.records.tables import Tables

logger = logging.getLogger("agent_workers.records")

_EMPTY: dict[str, tuple[str, Any]] = {MESSAGES: ("content", None), EVENTS: ("payload", {}), INSIGHTS: ("output", {})}


DatabaseError = SQLAlchemyError
"""What a database and its driver raise, for those that do not know the extra."""


class Unavailable(Exception):
    """Raised where the database takes nothing now. Its text is the reason, without the address."""


class Writer:
    """Writes what waits.

    Args:
        engine: The database.
        tables: Its tables.
        creates: Whether it makes the tables that are missing.

    Attributes:
        dropped: How many contents were found dropped, or were refused by the database.
    """

    def __init__(self, engine: Engine, tables: Tables, *, creates: bool) -> None:
        self.dropped = 0
        self._engine = engine
        self._tables = tables
        self._creates = creates

    def drain(self, spool: Spool, journal: Journal) -> bool:
        """Writes all that a journal holds by now; says whether it is done with, and removed.

        Raises:
            Unavailable: The database takes nothing now; what is not written stays where it is.
        """
        while True:
            piece = spool.read(journal)
            self.write(piece.changes)
            if spool.note(journal, piece):
                return True
            if journal.is_written:
                return False

    def write(self, changes: list[Change]) -> None:
        """Writes changes, all of them or none; what the database refuses for good is written without its content.

        Raises:
            Unavailable: See ``drain``.
        """
        if not changes:
            return
        changes = settled(changes)
        try:
            self._write(changes)
        except (DataError, IntegrityError, ValueError, TypeError) as error:
            logger.warning("the database refuses a part of the records: %s", reason(error))
            for change in changes:
                self._write_alone(change)
        for change in changes:
            if isinstance(change, Dropped):
                self.dropped += change.rows

    def _write_alone(self, change: Change) -> None:
        for attempt in (change, _emptied(change)):
            if attempt is None:
                break
            try:
                self._write([attempt])
            except (DataError, IntegrityError, ValueError, TypeError):
                continue
            if attempt is change:
                return
            break
        self.dropped += 1

    def _write(self, changes: list[Change]) -> None:
        try:
            if self._creates:
                self._tables.create(self._engine)
                self._creates = False
            with self._engine.begin() as connection:
                Writing(connection, self._tables).write(changes)
        except (DataError, IntegrityError):
            raise
        except (DBAPIError, NoConnection, OSError) as error:
            raise Unavailable(reason(error)) from error
        except SQLAlchemyError as error:
            if isinstance(error.__cause__, (ValueError, TypeError)):
                raise ValueError(reason(error)) from error  # noqa: TRY004 both are told as one
            raise Unavailable(reason(error)) from error


def reason(error: Exception) -> str:
    """Returns the first line of an error, without the statement and what was to be written by it."""
    cause = getattr(error, "orig", None) or error
    words = str(cause).strip().splitlines() or [type(cause).__name__]
    return words[0]


def _emptied(change: Change) -> Change | None:
    """Returns a change without its content; None where it has none."""
    if not isinstance(change, Put) or change.table not in _EMPTY:
        return None
    name, value = _EMPTY[change.table]
    return change._replace(row={**change.row, name: value})
