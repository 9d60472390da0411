"""The changes of one run on this machine's disk, until they are in the database."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from agent_workers.records.changes import contents_in, from_line, metadata_of, to_lines

if TYPE_CHECKING:
    from pathlib import Path

    from agent_workers.records.changes import Change

_AT_ONCE = 1024 * 1024
_HELD = 8 * 1024 * 1024


class Piece(NamedTuple):
    """Some of a journal's changes.

    Attributes:
        changes: In their order.
        end: Where the next ones begin.
        generation: Which writing of the file that place is in.
    """

    changes: list[Change]
    end: int
    generation: int


class Journal:
    """A file of changes, which is this process's for as long as it is open.

    Whoever opens it after this process has gone writes it from its beginning: what is written twice is there once.

    Args:
        path: The file.
        descriptor: The file, open and locked.

    Attributes:
        path: The file.
        is_closed: Whether nothing more comes.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.is_closed = False
        self._descriptor: int | None = descriptor
        self._offset = 0
        self._generation = 0
        self._size = os.fstat(descriptor).st_size
        self._held: list[bytes] = []

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self._size

    @property
    def is_written(self) -> bool:
        """Whether all that it holds is in the database."""
        return self._offset >= self._size and not self._held

    def append(self, data: bytes) -> int:
        """Appends changes, as lines; returns how many bytes the file has grown.

        Raises:
            OSError: The disk takes nothing, and memory for it neither.
        """
        assert self._descriptor is not None
        try:
            if self._held:
                raise OSError(None, "what came before is not on disk")
            self._write(self._descriptor, data)
        except OSError:
            if sum(map(len, self._held)) + len(data) > _HELD:
                raise
            self._held.append(data)  # the database may still take it
            return 0
        self._size += len(data)
        return len(data)

    def read(self) -> Piece:
        """Returns the next changes that are not in the database."""
        assert self._descriptor is not None
        data = os.pread(self._descriptor, min(_AT_ONCE, self._size - self._offset), self._offset)
        end = data.rfind(b"\n") + 1
        if not end and data:  # a line that is longer than that
            data = os.pread(self._descriptor, self._size - self._offset, self._offset)
            end = data.find(b"\n") + 1 or len(data)  # the last one of a process that was killed does not end
        data = data[:end]
        if not data:
            data, end = b"".join(self._held), self._size - self._offset + len(self._held)
        changes = [change for line in data.splitlines() if (change := from_line(line))]
        return Piece(changes, self._offset + end, self._generation)

    def note(self, piece: Piece) -> None:
        """Notes that changes are in the database."""
        if piece.generation != self._generation:
            return  # the file is another by now, and begins with what is not known to be written
        if piece.end > self._size:
            del self._held[: piece.end - self._size]
        self._offset = min(piece.end, self._size)

    def reduce(self) -> int:
        """Writes the file anew, without contents; returns how many rows are lost by that.

        Raises:
            OSError: It cannot be written; it is as it was.
        """
        assert self._descriptor is not None
        rest = os.pread(self._descriptor, self._size - self._offset, self._offset)
        changes = [change for line in rest.splitlines() if (change := from_line(line))]
        kept = metadata_of(changes)
        beside = self.path.with_suffix(".new")
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._write(descriptor, to_lines(kept))
            beside.rename(self.path)
        except OSError:
            os.close(descriptor)
            beside.unlink(missing_ok=True)
            raise
        os.close(self._descriptor)
        self._descriptor, self._offset, self._size = descriptor, 0, os.fstat(descriptor).st_size
        self._generation += 1
        return contents_in(changes)

    def remove(self) -> None:
        """Removes the file, since all of it is in the database."""
        self.path.unlink(missing_ok=True)
        self.leave()

    def leave(self) -> None:
        """Leaves the file to whoever writes it later."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @staticmethod
    def _write(descriptor: int, data: bytes) -> None:
        """Appends data, or nothing of it."""
        begin = os.fstat(descriptor).st_size
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, begin)
            raise


def open_journal(path: Path, *, create: bool = False) -> Journal | None:
    """Opens a journal; None where another process has it, or it has gone.

    Raises:
        OSError: It cannot be opened.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT | os.O_EXCL if create else 0)
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileNotFoundError:
        if create:
            raise  # the folder has gone: whoever records is told, instead of trying for ever
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return Journal(path, descriptor)
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None
