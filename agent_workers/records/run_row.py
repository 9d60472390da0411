"""The row of a run, and that of its conversation. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from agent_workers.records.about import NAME, TITLE, first_line, text_of
from agent_workers.records.changes import RUNS, Put, Row
from agent_workers.records.redaction import Redaction, well_formed

if TYPE_CHECKING:
    from agent_workers.records.about import About
    from agent_workers.records.keeping import Keeping

_MOST_MONEY = 999_999.99999999  # DECIMAL(14, 8)
_MOST = 2**63 - 1  # BIGINT
_CLEAN = Redaction()  # ids are what they are
_UNTIL_THE_END = ("code", "stop_reason", "first_delta_at", "ended_at", "duration_ms", "turns", "cost_usd", "chain_head")


def named(value: object) -> str | None:
    """Returns an id or a name as its column takes it: a text, cut where it is too long; None where there is none."""
    text = text_of(value)
    return well_formed(text)[:NAME] if text else None


def counted(value: object) -> int | None:
    """Returns a count as its column takes it; None where it is none."""
    return value if type(value) is int and 0 <= value <= _MOST else None


def money(value: object) -> float | None:
    """Returns US dollars as their column takes them; None where they are not known."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST_MONEY:
        return None
    return round(float(value), 8)


class RunRow:
    """What the tables say of a run itself.

    Args:
        about: What is known of it.
        keeping: What of it is kept.

    Attributes:
        columns: The row, without ``last_seq``.
        conversation_id: The conversation that it belongs to; None where it is not known yet, or there is none.
    """

    def __init__(self, about: About, keeping: Keeping) -> None:
        request = about.request
        self.conversation_id = named(about.conversation_id) or named(about.session_id)
        self._keeping = keeping
        title = keeping.words(first_line(about.question))  # half an address would be found by no pattern
        self._title = title and title[:TITLE]
        self._began_at: str | None = None
        self._at = about.at
        self._engine = named(request.get("engine"))
        self._tools: list[str] | None = None
        self.columns: Row = {
            "id": named(about.run),
            "conversation_id": self.conversation_id,
            "worker": named(about.worker) or "",
            "worker_version": None,
            "skill": named(request.get("skill")),
            "skill_version": None,
            "user": named(about.owner),
            "tenant": named(about.tenant),
            "subject": _CLEAN.value(request.get("subject") if about.subject is None else about.subject),
            "goal": keeping.words(text_of(request.get("goal"))),
            "model": named(request.get("model")),
            "session_id": named(about.session_id),
            "status": "running",
            **dict.fromkeys(_UNTIL_THE_END),
            "attempts": about.attempt,
            "started_at": about.at,
            "traceparent": named(request.get("traceparent")),
            "simulated": False,
        }
        self._first = dict(self.columns)

    def begin_anew(self, attempt: int) -> None:
        """Forgets what a lost attempt had come to."""
        self.columns |= {"status": "running", "attempts": attempt, **dict.fromkeys(_UNTIL_THE_END)}
        self.columns |= {name: self._first[name] for name in ("conversation_id", "session_id", "model")}
        self.conversation_id = self._first["conversation_id"]
        self._began_at = None

    def see(self, kind: str, event: dict[str, Any], at: str) -> bool:
        """Takes an event; says whether it has changed the row."""
        row = self.columns
        if kind == "start":
            self._began_at = at
            self._start(event)
        elif kind == "session":
            row["session_id"] = named(event.get("session_id")) or row["session_id"]
            row["model"] = named(event.get("model")) or row["model"]
            tools = event.get("tools")
            if isinstance(tools, list):
                self._tools = sorted({name for name in map(named, tools) if name})
            self._belong()
        elif kind == "delta" and row["first_delta_at"] is None:
            row["first_delta_at"] = at
            return True
        return kind in ("start", "session")

    def end(self, event: dict[str, Any], at: str) -> None:
        """Takes the terminal event."""
        row, kind = self.columns, event["type"]
        row["status"], row["ended_at"] = kind, at
        if kind == "done":
            row["stop_reason"] = named(event.get("stop_reason"))
            row["turns"] = counted(event.get("turns"))
            row["skill"] = row["skill"] or named(event.get("skill"))
        else:
            row["code"] = named(event.get("code" if kind == "error" else "reason"))
        row["duration_ms"] = counted(event.get("duration_ms"))
        if row["duration_ms"] is None and self._began_at:
            row["duration_ms"] = _ms_between(self._began_at, at)
        row["cost_usd"] = money(event.get("cost_usd"))
        row["session_id"] = named(event.get("session_id")) or row["session_id"]
        self._belong()

    def chain(self, digest: str) -> None:
        """Notes the digest of the run's last line, whose lines are chained."""
        self.columns["chain_head"] = digest

    def put(self, attempt: int, seq: int) -> Put:
        """Returns the row as it is by now."""
        return Put(RUNS, {**self.columns, "last_seq": counted(seq) or 0}, self.columns["id"], attempt)

    def conversation(self, at: str) -> Row | None:
        """Returns the row of the conversation as it is by now; None where there is none."""
        if self.conversation_id is None:
            return None
        row = self.columns
        return {
            "id": self.conversation_id,
            "session_id": row["session_id"],
            "owner": row["user"],
            "tenant": row["tenant"],
            "subject": row["subject"],
            "title": self._title,
            "worker": row["worker"],
            "engine": self._engine,
            "tools": self._tools,
            "created_at": self._at,
            "updated_at": at,
        }

    def _start(self, event: dict[str, Any]) -> None:
        row = self.columns
        row["worker"] = row["worker"] or named(event.get("worker")) or ""
        row["worker_version"] = named(event.get("worker_version"))
        row["skill"] = named(event.get("skill")) or row["skill"]
        row["skill_version"] = named(event.get("skill_version"))
        row["user"] = row["user"] or named(event.get("user"))
        if row["subject"] is None:
            row["subject"] = _CLEAN.value(event.get("subject"))
        row["goal"] = row["goal"] or self._keeping.words(text_of(event.get("goal")))
        row["traceparent"] = named(event.get("traceparent")) or row["traceparent"]
        row["simulated"] = event.get("simulated") is True
        self._engine = named(event.get("engine")) or self._engine

    def _belong(self) -> None:
        """A conversation that the application has not named bears the session's id."""
        self.conversation_id = self.conversation_id or self.columns["session_id"]
        self.columns["conversation_id"] = self.conversation_id


def _ms_between(begin: str, end: str) -> int:
    passed = datetime.fromisoformat(end) - datetime.fromisoformat(begin)
    return max(0, round(passed.total_seconds() * 1000))
