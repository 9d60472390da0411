"""Which session a conversation is, whose it is, and whether a run is at work in it."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from agent_workers.gateway.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agent_workers.gateway.owner import Owner

_TABLE = """
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    begun INTEGER NOT NULL DEFAULT 0
)
"""


class Conversations:
    """The conversations of runs on this machine.

    Args:
        path: The file that they are kept in; None keeps them in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._database = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(_TABLE)
        self._at_work: dict[str, tuple[str, bool]] = {}

    def begin(self, conversation: str, owner: Owner, run: str) -> dict[str, Any]:
        """Takes a conversation for a run; returns the ``session`` of its request.

        Raises:
            Refusal: It is somebody else's, or another run is at work in it.
        """
        insert = "INSERT OR IGNORE INTO conversations (id, owner) VALUES (?, ?)"
        self._database.execute(insert, (conversation, owner.key))
        found = "SELECT owner, begun FROM conversations WHERE id = ?"
        whose, begun = self._database.execute(found, (conversation,)).fetchone()
        if whose != owner.key:
            raise unknown()
        if conversation in self._at_work:
            raise busy()
        self._at_work[conversation] = (run, bool(begun))
        return {"session": {"resume": conversation} if begun else {"id": conversation}}

    def note(self, conversation: str, run: str, event: Mapping[str, Any]) -> None:
        """Learns from a run's event: it may fail before or after it began its session."""
        at_work, before = self._at_work.get(conversation, ("", False))
        begun = before if event.get("code") == "session_not_saved" else has_begun(event)
        if begun is not None and at_work == run:
            update = "UPDATE conversations SET begun = ? WHERE id = ?"
            self._database.execute(update, (int(begun), conversation))

    def end(self, conversation: str, run: str) -> None:
        """Hears that a run is at work no more."""
        if self.at_work(conversation) == run:
            del self._at_work[conversation]

    def at_work(self, conversation: str) -> str | None:
        """Returns the run that is at work in a conversation."""
        return self._at_work.get(conversation, (None, False))[0]

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
