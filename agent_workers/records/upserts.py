"""Changes to statements: each leaves the same rows however often, and in whatever order of attempts, it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.dialects import mysql, postgresql, sqlite

from agent_workers.records.changes import (
    CONVERSATIONS,
    EVENTS,
    INSIGHTS,
    MESSAGES,
    RUNS,
    USAGE,
    Forget,
    Lost,
    Put,
    Withdraw,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Table

    from agent_workers.records.changes import Change, Row
    from agent_workers.records.tables import Tables

_KEYS = {
    CONVERSATIONS: ("id",),
    RUNS: ("id",),
    MESSAGES: ("run_id", "attempt", "seq", "kind"),
    USAGE: ("run_id", "turn", "model"),
    EVENTS: ("run_id", "attempt", "seq"),
    INSIGHTS: ("run_id",),
}
_OF_ITS_BEGIN = ("created_at", "started_at")
"""Columns that stay as they were written first."""
_OF_ITS_FIRST_RUN = ("owner", "tenant", "title")
"""Columns of a conversation that its later runs only fill in."""


class Writing:
    """Writes changes within a transaction.

    Args:
        connection: The transaction.
        tables: The tables.
    """

    def __init__(self, connection: Connection, tables: Tables) -> None:
        self._connection = connection
        self._tables = tables
        self._dialect = connection.dialect.name
        self._attempts: dict[str, int] = {}

    def write(self, changes: Iterable[Change]) -> None:
        """Writes changes in their order, the row of a run before what belongs to it."""
        for change in changes:
            if isinstance(change, Put):
                self._put(change)
            elif isinstance(change, Forget):
                self._forget(change)
            elif isinstance(change, Withdraw):
                self._withdraw(change)
            elif isinstance(change, Lost):
                self._lose(change)

    def _put(self, put: Put) -> None:
        if put.table == RUNS:
            self._put_run(put.row)
        elif put.table == EVENTS:
            self._upsert(put.table, put.row)
        elif not self._is_past(put.run_id, put.attempt):
            if put.table == CONVERSATIONS:
                self._put_conversation(put.row)
            else:
                self._upsert(put.table, put.row)
        elif put.table == USAGE:
            self._insert(put.table, put.row)  # what a lost attempt has used was paid, too

    def _put_run(self, row: Row) -> None:
        """Writes a run, unless what stands there is of a later attempt, or of a later event."""
        self._insert(RUNS, row)
        runs = self._tables.runs.c
        lost = self._connection.scalar(
            select(runs.conversation_id).where(runs.id == row["id"], runs.attempts < row["attempts"]).with_for_update()
        )
        same = and_(runs.attempts == row["attempts"], runs.last_seq <= row["last_seq"])
        if row["status"] == "running":
            same = and_(same, runs.status == "running")  # what has ended does not run again
        is_new = or_(runs.attempts < row["attempts"], same)
        values = {name: value for name, value in row.items() if name not in ("id", *_OF_ITS_BEGIN)}
        where = and_(runs.id == row["id"], is_new)
        self._connection.execute(update(self._tables.runs).where(where).values(self._named(RUNS, values)))
        self._attempts.pop(row["id"], None)
        if lost is not None and lost != row["conversation_id"]:
            self._leave(lost)

    def _leave(self, conversation_id: str) -> None:
        """Removes a conversation that a lost attempt had begun, if no other run is one of it."""
        runs, conversations = self._tables.runs, self._tables.conversations
        others = exists().where(runs.c.conversation_id == conversation_id)
        self._connection.execute(delete(conversations).where(conversations.c.id == conversation_id, ~others))

    def _put_conversation(self, row: Row) -> None:
        self._insert(CONVERSATIONS, row)
        table = self._tables.conversations
        this = table.c.id == row["id"]
        filled = {name: func.coalesce(table.c[name], row[name]) for name in _OF_ITS_FIRST_RUN if row[name] is not None}
        if filled:
            self._connection.execute(update(table).where(this).values(self._named(CONVERSATIONS, filled)))
        kept = {"id", *_OF_ITS_BEGIN, *_OF_ITS_FIRST_RUN}
        known = {name: value for name, value in row.items() if name not in kept and value not in (None, "")}
        is_new = table.c.updated_at <= row["updated_at"]
        self._connection.execute(update(table).where(this, is_new).values(self._named(CONVERSATIONS, known)))

    def _forget(self, change: Forget) -> None:
        messages = self._tables.messages
        is_past = and_(messages.c.run_id == change.run_id, messages.c.attempt < change.attempt)
        self._connection.execute(delete(messages).where(is_past))

    def _withdraw(self, change: Withdraw) -> None:
        messages = self._tables.messages.c
        this = (messages.run_id == change.run_id, messages.attempt == change.attempt, messages.seq == change.seq)
        self._connection.execute(delete(self._tables.messages).where(*this, messages.kind == "text"))

    def _lose(self, change: Lost) -> None:
        runs = self._tables.runs
        where = and_(runs.c.id == change.run_id, runs.c.status == "running")
        values = {"status": change.status, "code": change.code, "ended_at": change.at}
        self._connection.execute(update(runs).where(where).values(values))

    def _is_past(self, run_id: str, attempt: int) -> bool:
        """Whether a later attempt of a run has begun, wherever that is recorded."""
        if run_id not in self._attempts:
            runs = self._tables.runs
            found = self._connection.scalar(select(runs.c.attempts).where(runs.c.id == run_id).with_for_update())
            self._attempts[run_id] = found or 0
        return attempt < self._attempts[run_id]

    def _insert(self, name: str, row: Row) -> None:
        """Inserts a row, unless its key is there already."""
        table, values = self._tables[name], self._named(name, row)
        if self._dialect == "postgresql":
            self._connection.execute(postgresql.insert(table).values(values).on_conflict_do_nothing())
        elif self._dialect == "sqlite":
            self._connection.execute(sqlite.insert(table).values(values).on_conflict_do_nothing())
        else:  # INSERT IGNORE would ignore what does not fit, too
            key = _KEYS[name][0]
            statement = mysql.insert(table).values(values)
            self._connection.execute(statement.on_duplicate_key_update({key: table.c[key]}))

    def _upsert(self, name: str, row: Row) -> None:
        """Inserts a row, or writes the one with its key anew."""
        table, values, keys = self._tables[name], self._named(name, row), _KEYS[name]
        changed = {key: value for key, value in values.items() if key not in (*keys, *_OF_ITS_BEGIN)}
        if self._dialect == "postgresql":
            of_postgres = postgresql.insert(table).values(values)
            self._connection.execute(of_postgres.on_conflict_do_update(index_elements=list(keys), set_=changed))
        elif self._dialect == "sqlite":
            of_sqlite = sqlite.insert(table).values(values)
            self._connection.execute(of_sqlite.on_conflict_do_update(index_elements=list(keys), set_=changed))
        else:
            self._connection.execute(mysql.insert(table).values(values).on_duplicate_key_update(changed))

    def _named(self, name: str, row: dict[str, Any]) -> dict[str, Any]:
        """Leaves out what a table of this version does not have: a spool may be of another."""
        columns = _columns(self._tables[name])
        return {key: value for key, value in row.items() if key in columns}


def _columns(table: Table) -> set[str]:
    return set(table.c.keys())
