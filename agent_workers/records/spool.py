"""What waits on this machine's disk to be written into a database. It has a bound."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from agent_workers.records.changes import contents_in, metadata_of, to_lines
from agent_workers.records.journal import open_journal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent_workers.records.changes import Change
    from agent_workers.records.journal import Journal, Piece

logger = logging.getLogger("agent_workers.records")

_LOOK_S = 1.0
_ROOM = 0.9  # of the bound, once the oldest contents are dropped


class Spool:
    """The journals of one database, of all processes of this machine.

    Any thread may use it.

    Args:
        folder: Where they lie.
        bound: Bytes that they may have together.

    Attributes:
        dropped: How many rows of content this process has dropped.
    """

    def __init__(self, folder: Path, bound: int) -> None:
        self.dropped = 0
        self._folder = folder
        self._bound = bound
        self._lock = threading.RLock()
        self._own: dict[Path, Journal] = {}
        self._reduced: dict[str, int] = {}
        self._used = 0
        self._looked = float("-inf")

    def begin(self) -> Journal:
        """Opens a new journal.

        Raises:
            OSError: There is no room on the disk, or the folder cannot be written.
        """
        with self._lock:
            while True:
                path = self._folder / f"{time.time_ns():020d}-{uuid4().hex[:8]}.jsonl"
                if journal := open_journal(path, create=True):
                    self._own[path] = journal
                    return journal
                # Somebody who looks for what was left has taken the new file, and removes it.

    def append(self, journal: Journal, changes: list[Change]) -> None:
        """Appends changes to a journal. Where there is no room, contents are dropped, the oldest first."""
        data = to_lines(changes)
        with self._lock:
            if self._in_use() + len(data) > self._bound:
                self._make_room(len(data))
                if self._in_use() + len(data) > self._bound:
                    self._note_dropped(contents_in(changes))
                    changes = metadata_of(changes)
                    data = to_lines(changes)
            try:
                self._used += journal.append(data)
            except OSError as error:
                logger.error("records are lost, since the disk takes nothing: %s", error.strerror)
                self._note_dropped(contents_in(changes))

    def close(self, journal: Journal) -> None:
        """Notes that nothing more comes."""
        with self._lock:
            journal.is_closed = True

    def own(self) -> list[Journal]:
        """Returns the journals that this process has open, the oldest first."""
        with self._lock:
            return list(self._own.values())

    def leftovers(self) -> Iterator[Journal]:
        """Opens each journal that no process has open any more, the oldest first; whoever asks must leave it."""
        for name in self._names():
            path = self._folder / name
            journal = None
            with suppress(OSError), self._lock:
                journal = None if path in self._own else open_journal(path)
            if journal:
                journal.is_closed = True
                yield journal

    def waiting(self) -> tuple[int, int]:
        """Returns how many journals wait, and their bytes."""
        sizes = self._sizes()
        return len(sizes), sum(sizes.values())

    def read(self, journal: Journal) -> Piece:
        """Returns the next changes of a journal that are not in the database."""
        with self._lock:
            return journal.read()

    def note(self, journal: Journal, piece: Piece) -> bool:
        """Notes that changes are in the database; says whether the journal has no more, and is removed."""
        with self._lock:
            journal.note(piece)
            if not (journal.is_closed and journal.is_written):
                return False
            self._own.pop(journal.path, None)
            self._used -= journal.size
            journal.remove()
            return True

    def leave(self) -> None:
        """Leaves the journals of this process to whoever writes them later."""
        with self._lock:
            for journal in self._own.values():
                journal.leave()
            self._own.clear()

    def _make_room(self, size: int) -> None:
        for name in self._names():
            if self._in_use() + size <= self._bound * _ROOM:
                return
            path = self._folder / name
            with suppress(OSError):
                own = self._own.get(path)
                journal = own or open_journal(path)
                if journal is None:
                    continue
                if journal.size > self._reduced.get(name, 0):
                    before = journal.size
                    self._note_dropped(journal.reduce())
                    self._used += journal.size - before
                    self._reduced[name] = journal.size
                if own is None:
                    journal.leave()

    def _note_dropped(self, count: int) -> None:
        if count > 0:
            self.dropped += count
            logger.warning("no room is left for records: %d of their contents were dropped so far", self.dropped)

    def _in_use(self) -> int:
        """Returns how many bytes are in use, as far as that is known: others write here, too."""
        now = time.monotonic()
        if now - self._looked > _LOOK_S:
            self._looked, self._used = now, sum(self._sizes().values())
        return self._used

    def _names(self) -> list[str]:
        return sorted(self._sizes())

    def _sizes(self) -> dict[str, int]:
        sizes: dict[str, int] = {}
        with suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.name.endswith(".jsonl"):
                        sizes[entry.name] = entry.stat(follow_symlinks=False).st_size
        return sizes
