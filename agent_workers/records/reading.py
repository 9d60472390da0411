"""What stands in the records: rows as they are, and what was used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import func, or_, select

from agent_workers.records.about import NAME
from agent_workers.records.changes import CONVERSATIONS, EVENTS, INSIGHTS, MESSAGES, RUNS, USAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Engine

    from agent_workers.records.changes import Row
    from agent_workers.records.tables import Tables

By = Literal["day", "model", "user", "skill", "tenant"]
COUNTS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_AT_ONCE = 500
_BELONGING = (MESSAGES, USAGE, EVENTS, INSIGHTS)


def exported(
    engine: Engine, tables: Tables, *, user: str | None = None, run: str | None = None
) -> Iterator[tuple[str, Row]]:
    """Yields rows with the names of their tables: all of them, those of a user or those of a run.

    Args:
        engine: The database.
        tables: Its tables.
        user: For whom the runs were.
        run: Id of the run.
    """
    runs, conversations = tables.runs.c, tables.conversations.c
    theirs = select(conversations.id).where(conversations.owner == (user or "")[:NAME])
    of_runs: list[ColumnElement[bool]] = []
    of_conversations: list[ColumnElement[bool]] = []
    if user is not None:
        of_runs.append(or_(runs.user == user[:NAME], runs.conversation_id.in_(theirs)))
        of_conversations.append(conversations.owner == user[:NAME])
    if run is not None:
        of_runs.append(runs.id == run)
        of_conversations.append(conversations.id.in_(select(runs.conversation_id).where(runs.id == run)))
    yield from _rows(engine, tables, CONVERSATIONS, of_conversations)
    yield from _rows(engine, tables, RUNS, of_runs)
    wanted = select(runs.id).where(*of_runs)
    for name in _BELONGING:
        yield from _rows(engine, tables, name, [tables[name].c.run_id.in_(wanted)] if of_runs else [])


def _rows(engine: Engine, tables: Tables, name: str, where: list[ColumnElement[bool]]) -> Iterator[tuple[str, Row]]:
    """Yields the rows of a table, some at a time, in the order of their keys."""
    table = tables[name]
    last: Any = None
    while True:
        beyond = [] if last is None else [table.c.id > last]
        query = select(table).where(*where, *beyond).order_by(table.c.id).limit(_AT_ONCE)
        with engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        for row in rows:
            yield name, dict(row)
        if len(rows) < _AT_ONCE:
            return
        last = rows[-1]["id"]


def used(engine: Engine, tables: Tables, by: By, since: str | None = None, until: str | None = None) -> list[Row]:
    """Returns what was used, by what it is asked for, in its order; that of days is of UTC.

    Args:
        engine: The database.
        tables: Its tables.
        by: What a row stands for.
        since: The first moment that counts, as in a row.
        until: The first moment that counts no more.
    """
    usage = tables.usage.c
    key = _day(engine, usage.at) if by == "day" else usage[by]
    return _summed(engine, tables, {by: key}, since, until)


def used_by_day_and_model(engine: Engine, tables: Tables, since: str, until: str) -> list[Row]:
    """Returns what was used on each day of UTC by each model, but for what was simulated; see ``used``."""
    usage, runs = tables.usage.c, tables.runs.c
    is_real = usage.run_id.not_in(select(runs.id).where(runs.simulated))
    return _summed(engine, tables, {"day": _day(engine, usage.at), "model": usage.model}, since, until, is_real)


def _summed(
    engine: Engine,
    tables: Tables,
    keys: dict[str, ColumnElement[Any]],
    since: str | None,
    until: str | None,
    *where: ColumnElement[bool],
) -> list[Row]:
    usage = tables.usage.c
    sums = [func.sum(usage[name]).label(name) for name in COUNTS]
    query = (
        select(
            *(key.label(name) for name, key in keys.items()),
            func.count(usage.run_id.distinct()).label("runs"),
            *sums,
            func.sum(usage.cost_usd).label("cost_usd"),
        )
        .where(*where)
        .group_by(*keys.values())
    )
    if since:
        query = query.where(usage.at >= since)
    if until:
        query = query.where(usage.at < until)
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    for row in rows:
        row |= {name: None if row[name] is None else int(row[name]) for name in COUNTS}
    return sorted(rows, key=lambda row: [str(row[name] or "") for name in keys])


def _day(engine: Engine, at: ColumnElement[Any]) -> ColumnElement[Any]:
    if engine.dialect.name == "sqlite":
        return func.substr(at, 1, 10)
    if engine.dialect.name == "postgresql":
        return func.to_char(at, "YYYY-MM-DD")
    return func.date_format(at, "%Y-%m-%d")
