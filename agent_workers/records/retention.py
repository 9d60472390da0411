"""What is removed again: what is old, and what is somebody's."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, delete, exists, or_, select, update

from agent_workers.records.about import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Engine, Select

    from agent_workers.records.tables import Tables

_AT_ONCE = 200
_ACTED = ("permission_resolved", "question_resolved", "steered")
"""Types of the events that name who did it."""


class Session(NamedTuple):
    """A session that no run of the records belongs to any more.

    Attributes:
        id: As the application knows it.
        is_simulated: Whether a simulator answered in it, which keeps its files apart.
    """

    id: str
    is_simulated: bool


class Removed(NamedTuple):
    """What some runs' removal has come to."""

    runs: int
    sessions: list[Session]


def prune(engine: Engine, tables: Tables, before: str, *, keep_usage: bool = False) -> Iterator[Removed]:
    """Removes the runs that began before a time, with all that belongs to them; yields what was removed each time.

    Args:
        engine: The database.
        tables: Its tables.
        before: The time, as in a row.
        keep_usage: Whether what they have used stays.
    """
    runs = tables.runs.c
    yield from _remove(engine, tables, select(runs.id).where(runs.started_at < before), keep_usage=keep_usage)
    conversations = tables.conversations
    with engine.begin() as connection:
        is_empty = ~exists().where(runs.conversation_id == conversations.c.id)
        connection.execute(delete(conversations).where(conversations.c.updated_at < before, is_empty))


def forget(engine: Engine, tables: Tables, user: str, *, keep_usage: bool = False) -> Iterator[Removed]:
    """Removes the runs and conversations of a user; yields what was removed each time.

    Args:
        engine: The database.
        tables: Its tables.
        user: The user, as the application knows them.
        keep_usage: Whether what the runs have used stays, without the user.
    """
    actor, user = user, user[:NAME]
    runs, conversations = tables.runs.c, tables.conversations
    theirs = select(conversations.c.id).where(conversations.c.owner == user)
    wanted = select(runs.id).where(or_(runs.user == user, runs.conversation_id.in_(theirs)))
    yield from _remove(engine, tables, wanted, keep_usage=keep_usage)
    _leave_out(engine, tables, actor)
    with engine.begin() as connection:
        connection.execute(delete(conversations).where(conversations.c.owner == user))
        messages = tables.messages
        connection.execute(update(messages).where(messages.c.actor == user).values(actor=None))
        usage = tables.usage
        theirs_used = usage.c.user == user
        connection.execute(
            update(usage).where(theirs_used).values(user=None) if keep_usage else delete(usage).where(theirs_used)
        )


def _leave_out(engine: Engine, tables: Tables, actor: str) -> None:
    """Takes a user's name out of the events that tell of what they did in others' runs."""
    events = tables.events
    last = 0
    while True:
        wanted = select(events.c.id, events.c.payload).where(events.c.type.in_(_ACTED), events.c.id > last)
        with engine.begin() as connection:
            rows = connection.execute(wanted.order_by(events.c.id).limit(_AT_ONCE)).all()
            for number, payload in rows:
                if isinstance(payload, dict) and payload.get("actor") == actor:
                    left = {name: value for name, value in payload.items() if name != "actor"}
                    connection.execute(update(events).where(events.c.id == number).values(payload=left))
        if not rows:
            return
        last = rows[-1][0]


def _remove(engine: Engine, tables: Tables, wanted: Select[tuple[str]], *, keep_usage: bool) -> Iterator[Removed]:
    while True:
        with engine.begin() as connection:
            ids = connection.scalars(wanted.order_by(tables.runs.c.id).limit(_AT_ONCE)).all()
            sessions = _remove_runs(connection, tables, ids, keep_usage=keep_usage) if ids else []
        if not ids:
            return
        yield Removed(len(ids), sessions)


def _remove_runs(connection: Connection, tables: Tables, ids: Sequence[str], *, keep_usage: bool) -> list[Session]:
    runs, conversations = tables.runs, tables.conversations
    these = runs.c.id.in_(ids)
    belong = select(runs.c.session_id, runs.c.simulated, runs.c.conversation_id).where(these)
    found = connection.execute(belong).all()
    for table in (tables.messages, tables.events, tables.insights, *(() if keep_usage else (tables.usage,))):
        connection.execute(delete(table).where(table.c.run_id.in_(ids)))
    connection.execute(delete(runs).where(these))
    left = {conversation for _, _, conversation in found if conversation}
    is_empty = ~exists().where(runs.c.conversation_id == conversations.c.id)
    connection.execute(delete(conversations).where(and_(conversations.c.id.in_(left), is_empty)))
    sessions = {session: bool(simulated) for session, simulated, _ in found if session}
    others = connection.scalars(select(runs.c.session_id).where(runs.c.session_id.in_(sessions)))
    for session in others.all():
        sessions.pop(session or "", None)
    return [Session(session, simulated) for session, simulated in sorted(sessions.items())]
