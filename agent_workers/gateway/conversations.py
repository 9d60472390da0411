"""Which session a conversation is, whose it is, and whether a run is at work in it."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from agent_workers.gateway.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agent_workers.gateway.owner import Owner

_TABLES = """
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    session TEXT
);
CREATE INDEX IF NOT EXISTS conversations_session ON conversations (session);
"""


class Conversations:
    """The conversations of runs on this machine.

    Args:
        path: The file that they are kept in; None keeps them in memory.
        names_sessions: Whether a session gets the conversation's id: an agent that was started ahead has one already.
    """

    def __init__(self, path: Path | None = None, *, names_sessions: bool = True) -> None:
        self._database = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_TABLES)
        self._names_sessions = names_sessions
        self._at_work: dict[str, tuple[str, str | None]] = {}

    def begin(self, conversation: str, owner: Owner, run: str) -> dict[str, Any]:
        """Takes a conversation for a run; returns the ``session`` of its request.

        Raises:
            Refusal: It is somebody else's, or another run is at work in it.
        """
        name = self.name_of(conversation, owner)
        insert = "INSERT OR IGNORE INTO conversations (id, owner) VALUES (?, ?)"
        self._database.execute(insert, (name, owner.key))
        found = "SELECT owner, session FROM conversations WHERE id = ?"
        whose, session = self._database.execute(found, (name,)).fetchone()
        if whose != owner.key:
            raise unknown()
        if name in self._at_work:
            raise busy()
        self._at_work[name] = (run, session)
        if session is not None:
            return {"session": {"resume": session}}
        return {"session": {"id": name}} if self._names_sessions else {}

    def name_of(self, conversation: str, owner: Owner) -> str:
        """Returns a conversation by its id, or by its session's: a page may go on by what its events name.

        A session is looked for among the owner's: a user's own machine may tell of any.
        """
        found = "SELECT id FROM conversations WHERE session = ? AND id != session AND owner = ?"
        row = self._database.execute(found, (conversation, owner.key)).fetchone()
        return str(row[0]) if row else conversation

    def note(self, conversation: str, owner: Owner, run: str, event: Mapping[str, Any]) -> None:
        """Learns from a run's event: it may fail before or after it began its session."""
        begun = has_begun(event)
        if begun is None and event.get("code") != "session_not_saved":
            return
        name = self.name_of(conversation, owner)
        at_work, before = self._at_work.get(name, ("", None))
        if at_work != run:
            return
        if event["type"] == "session":
            self._learn(name, event["session_id"])
        elif event.get("code") == "session_not_saved":
            self._learn(name, before)
        elif begun is not None:
            self._learn(name, name if begun else None)

    def _learn(self, name: str, session: str | None) -> None:
        self._database.execute("UPDATE conversations SET session = ? WHERE id = ?", (session, name))

    def end(self, conversation: str, owner: Owner, run: str) -> None:
        """Hears that a run is at work no more."""
        if self.at_work(conversation, owner) == run:
            del self._at_work[self.name_of(conversation, owner)]

    def at_work(self, conversation: str, owner: Owner) -> str | None:
        """Returns the run that is at work in a conversation."""
        return self._at_work.get(self.name_of(conversation, owner), (None, None))[0]

    def close(self) -> None:
        """Closes the file."""
        self._database.close()


def has_begun(event: Mapping[str, Any]) -> bool | None:
    """Returns what an event tells of whether the conversation's session is there; None where it tells nothing."""
    if event["type"] == "session":
        return True
    if event["type"] == "error":
        return {"session_exists": True, "session_not_found": False}.get(event.get("code", ""))
    return None


def unknown() -> Refusal:
    """Returns the refusal of a conversation that is somebody else's: nobody may learn that there is one."""
    return Refusal(404, "session_not_found", "There is no such conversation.")


def busy() -> Refusal:
    """Returns the refusal of a conversation in which a run is at work."""
    words = "Another answer in this conversation is still being written. Wait for it, or stop it."
    return Refusal(409, "session_busy", words, retry_after_ms=2000)
