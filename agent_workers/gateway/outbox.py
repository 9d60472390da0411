"""Webhooks that wait, and runs whose end will be told: in a file, which survives whatever happens to the gateway."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PAUSES_S = (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""How long is waited after each try that has failed: some three days in all. Then it is given up."""
_KEEP_S = 7 * 86_400
"""How long it is known of a webhook that it was taken, or given up."""
_TABLES = """
CREATE TABLE IF NOT EXISTS runs (run TEXT PRIMARY KEY, about TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS webhooks (
    id TEXT PRIMARY KEY,
    body BLOB,
    tries INTEGER NOT NULL DEFAULT 0,
    due REAL,
    settled REAL
);
CREATE INDEX IF NOT EXISTS webhooks_due ON webhooks (due) WHERE due IS NOT NULL;
"""


class Waiting(NamedTuple):
    """A webhook that is due.

    Attributes:
        id: Its id.
        body: What it says.
        tries: How often it was sent.
    """

    id: str
    body: bytes
    tries: int


class Outbox:
    """What is to be told.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_TABLES)

    def begin(self, run: str, about: Mapping[str, Any]) -> None:
        """Notes a run whose end is to be told."""
        self._database.execute("INSERT OR IGNORE INTO runs VALUES (?, ?)", (run, json.dumps(about)))

    def about(self, run: str) -> dict[str, Any] | None:
        """Returns what is known of a run whose end is to be told; None for another."""
        found = self._database.execute("SELECT about FROM runs WHERE run = ?", (run,)).fetchone()
        return dict(json.loads(found[0])) if found else None

    def open_runs(self) -> list[str]:
        """Returns the runs whose end was not told yet."""
        return [run for (run,) in self._database.execute("SELECT run FROM runs")]

    def put(self, name: str, body: bytes, *, ends: str | None = None) -> None:
        """Takes a webhook in, once.

        Args:
            name: Its id.
            body: What it says.
            ends: The run that has ended with it.
        """
        with self._database:  # whatever is raised leaves no transaction open
            self._database.execute("BEGIN IMMEDIATE")
            insert = "INSERT OR IGNORE INTO webhooks (id, body, due) VALUES (?, ?, ?)"
            self._database.execute(insert, (name, body, time.time()))
            if ends is not None:
                self._database.execute("DELETE FROM runs WHERE run = ?", (ends,))

    def forget(self, run: str) -> None:
        """Forgets a run that has not begun."""
        self._database.execute("DELETE FROM runs WHERE run = ?", (run,))

    def due(self, most: int) -> list[Waiting]:
        """Returns webhooks that are due, the oldest first."""
        select = "SELECT id, body, tries FROM webhooks WHERE due <= ? ORDER BY due LIMIT ?"
        return [Waiting(*row) for row in self._database.execute(select, (time.time(), most))]

    def settle(self, name: str) -> None:
        """Notes that a webhook was taken, or will not be: it is not sent again."""
        update = "UPDATE webhooks SET due = NULL, body = NULL, settled = ? WHERE id = ?"
        self._database.execute(update, (time.time(), name))

    def fail(self, waiting: Waiting, *, wait_s: float = 0) -> bool:
        """Notes a try that has failed; says whether there will be another.

        Args:
            waiting: The webhook.
            wait_s: How long its receiver wants to be left alone.
        """
        if waiting.tries >= len(PAUSES_S):
            self.settle(waiting.id)
            return False
        due = time.time() + max(wait_s, PAUSES_S[waiting.tries])
        update = "UPDATE webhooks SET tries = tries + 1, due = ? WHERE id = ?"
        self._database.execute(update, (due, waiting.id))
        return True

    @property
    def waiting(self) -> int:
        """How many webhooks wait."""
        return int(self._database.execute("SELECT count(*) FROM webhooks WHERE due IS NOT NULL").fetchone()[0])

    def prune(self) -> None:
        """Forgets those that were settled long ago."""
        self._database.execute("DELETE FROM webhooks WHERE settled < ?", (time.time() - _KEEP_S,))

    def close(self) -> None:
        """Closes the file."""
        self._database.close()
