"""The six tables, as Python and Laravel write them. ``docs/records.md`` says what stands in each column."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import CHAR, Column, Index, Integer, MetaData, String, Table, Text, UniqueConstraint

from agent_workers.records.about import NAME, TITLE
from agent_workers.records.changes import CONVERSATIONS, EVENTS, INSIGHTS, MESSAGES, RUNS, USAGE
from agent_workers.records.columns import FLAG, LARGE, Json, Moment, Money

if TYPE_CHECKING:
    from sqlalchemy import Engine

PREFIX = re.compile(r"[A-Za-z0-9_]{0,32}")


class Tables:
    """The tables of a database.

    Args:
        prefix: What their names begin with.

    Attributes:
        metadata: All of them.

    Raises:
        ValueError: The prefix is none.
    """

    def __init__(self, prefix: str = "") -> None:
        if not PREFIX.fullmatch(prefix):
            raise ValueError(f"{prefix!r} cannot begin the name of a table: use up to 32 of A-Z a-z 0-9 _")
        self._prefix = prefix
        self.metadata = MetaData()
        self.conversations = self._conversations()
        self.runs = self._runs()
        self.messages = self._messages()
        self.usage = self._usage()
        self.events = self._events()
        self.insights = self._insights()

    def __getitem__(self, name: str) -> Table:
        """Returns a table by its name without the prefix."""
        return self.metadata.tables[self._prefix + name]

    def create(self, engine: Engine) -> None:
        """Creates the tables that are missing."""
        self.metadata.create_all(engine)

    def _conversations(self) -> Table:
        return self._table(
            CONVERSATIONS,
            _name("id", primary_key=True),
            _name("session_id"),
            _name("owner"),
            _name("tenant"),
            Column("subject", Json),
            Column("title", String(TITLE)),
            _name("worker", nullable=False),
            _name("engine"),
            Column("tools", Json),
            Column("created_at", Moment, nullable=False),
            Column("updated_at", Moment, nullable=False),
            indexes=(("session_id",), ("owner", "updated_at"), ("tenant",)),
        )

    def _runs(self) -> Table:
        return self._table(
            RUNS,
            _name("id", primary_key=True),
            _name("conversation_id"),
            _name("worker", nullable=False),
            *map(_name, ("worker_version", "skill", "skill_version", "user", "tenant")),
            Column("subject", Json),
            Column("goal", Text),
            *map(_name, ("model", "session_id")),
            _name("status", nullable=False),
            *map(_name, ("code", "stop_reason")),
            Column("attempts", Integer, nullable=False, server_default="1"),
            Column("last_seq", LARGE, nullable=False, server_default="0"),
            Column("started_at", Moment, nullable=False),
            Column("first_delta_at", Moment),
            Column("ended_at", Moment),
            Column("duration_ms", LARGE),
            Column("turns", LARGE),
            Column("cost_usd", Money),
            _name("traceparent"),
            Column("simulated", FLAG, nullable=False),
            Column("chain_head", CHAR(64)),
            indexes=(("conversation_id",), ("user", "started_at"), ("tenant", "started_at"), ("status",), ("skill",)),
        )

    def _messages(self) -> Table:
        return self._table(
            MESSAGES,
            _counter(),
            _name("run_id", nullable=False),
            _name("conversation_id"),
            Column("attempt", Integer, nullable=False),
            Column("seq", LARGE, nullable=False),
            Column("role", String(16), nullable=False),
            Column("kind", String(16), nullable=False),
            Column("content", Json),
            *map(_name, ("name", "tool_use_id", "status", "actor")),
            Column("created_at", Moment, nullable=False),
            indexes=(("run_id",), ("conversation_id",)),
            unique=("run_id", "attempt", "seq", "kind"),
        )

    def _usage(self) -> Table:
        tokens = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        return self._table(
            USAGE,
            _counter(),
            _name("run_id", nullable=False),
            Column("turn", Integer, nullable=False),
            _name("model", nullable=False),
            *(Column(name, LARGE) for name in tokens),
            Column("cost_usd", Money),
            *map(_name, ("user", "tenant", "skill")),
            Column("at", Moment, nullable=False),
            indexes=(("at",),),
            unique=("run_id", "turn", "model"),
        )

    def _events(self) -> Table:
        return self._table(
            EVENTS,
            _counter(),
            _name("run_id"),
            Column("attempt", Integer),
            Column("seq", LARGE),
            _name("aggregate_id"),
            _name("type", nullable=False),
            Column("payload", Json, nullable=False),
            Column("at", Moment, nullable=False),
            indexes=(("aggregate_id",),),
            unique=("run_id", "attempt", "seq"),
        )

    def _insights(self) -> Table:
        return self._table(
            INSIGHTS,
            _counter(),
            _name("run_id", nullable=False),
            _name("skill", nullable=False),
            _name("skill_version"),
            Column("subject", Json),
            _name("subject_key"),
            Column("output", Json, nullable=False),
            Column("needs_review", Json),
            Column("created_at", Moment, nullable=False),
            indexes=(("subject_key",),),
            unique=("run_id",),
        )

    def _table(
        self, name: str, *columns: Column[Any], indexes: tuple[tuple[str, ...], ...], unique: tuple[str, ...] = ()
    ) -> Table:
        full = self._prefix + name
        more: list[Any] = [Index(f"{full}_{'_'.join(names)}_index", *names) for names in indexes]
        if unique:
            more.append(UniqueConstraint(*unique, name=f"{full}_{'_'.join(unique)}_unique"))
        # Names that differ in their case only are different ones, as they are everywhere else.
        return Table(full, self.metadata, *columns, *more, mysql_charset="utf8mb4", mysql_collate="utf8mb4_bin")


def _name(name: str, *, nullable: bool = True, primary_key: bool = False) -> Column[str]:
    return Column(name, String(NAME), nullable=nullable and not primary_key, primary_key=primary_key)


def _counter() -> Column[int]:
    return Column("id", LARGE, primary_key=True, autoincrement=True)
