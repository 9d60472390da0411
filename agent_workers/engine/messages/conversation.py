"""The file of a conversation: JSON lines, each a message as the API takes it, written as soon as it is complete.

It is read and written under the session's lease, so by one run at a time; a fork only reads it.
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from agent_workers.engine.host.own_file import ForeignFile, open_own
from agent_workers.engine.messages.session_lines import Damaged, lines_of, mended
from agent_workers.errors import SessionExists, SessionNotFound, StateUnavailable
from agent_workers.wire import dump

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent_workers.engine.host.sessions import Lease

Message = dict[str, Any]

logger = logging.getLogger("agent_workers")

_DAMAGED = "This conversation cannot be continued: its file is damaged. The worker's stderr says where."


class History(NamedTuple):
    """What was said before.

    Attributes:
        messages: As the API takes them.
        model: The model that answered last; None where none has.
    """

    messages: list[Message]
    model: str | None = None


class Conversation:
    """One session's file.

    Args:
        path: Where it is, or will be.

    Attributes:
        saved: Whether all that was to be kept is in the file.
    """

    def __init__(self, path: Path) -> None:
        self.saved = True
        self._path = path
        self._identity: tuple[int, int] | None = None
        self._begin: int | None = None  # of this run's turn

    def load(self, *, repair: bool) -> History:
        """Reads the conversation so far, without the thoughts of its turns.

        Args:
            repair: Whether to mend a last line that was cut off, which only the lease's holder may do.

        Raises:
            SessionNotFound: There is no file, or not this user's own, or it is damaged.
            StateUnavailable: It cannot be read.
        """
        try:
            with self._opened(os.O_RDWR if repair else os.O_RDONLY) as file:
                data = _read(file)
                lines, whole = lines_of(data)
                if repair:
                    _mend(file, data, whole)
        except FileNotFoundError:
            raise SessionNotFound(cause=f"{self._path} is gone") from None
        except ForeignFile as error:
            raise SessionNotFound(cause=f"{self._path} {error.strerror}") from None
        except Damaged as error:
            raise SessionNotFound(_DAMAGED, cause=f"{self._path}: {error}") from None
        except OSError as error:
            raise StateUnavailable(cause=f"{self._path}: {error.strerror}") from error
        model = next((line["model"] for line in reversed(lines) if line.get("model")), None)
        return History(mended(lines), model)

    def is_taken(self) -> bool:
        """Tells whether something stands in its place already, other than a message that was cut off.

        Raises:
            StateUnavailable: It cannot be read.
        """
        try:
            return bool(self.load(repair=True).messages)
        except SessionNotFound:
            return os.path.lexists(self._path)

    def write(self, role: str, content: list[dict[str, Any]], model: str | None = None) -> None:
        """Adds a message; notes in ``saved`` where there was no room for it."""
        line = {"role": role, "content": content, **({"model": model} if model else {})}
        self._append(dump(line) + b"\n")

    def copy(self, history: History) -> None:
        """Begins the file with what another conversation holds."""
        lines = [*history.messages]
        if history.model and lines:
            lines[-1] = {**lines[-1], "model": history.model}
        self._append(b"".join(dump(line) + b"\n" for line in lines))
        self._begin = None

    def take_back(self) -> None:
        """Removes what this run has added."""
        if self._begin is not None and self.saved:
            try:
                with self._opened(os.O_WRONLY) as file:
                    os.ftruncate(file, self._begin)
            except OSError as error:
                logger.warning("a turn that does not count stays in the session: %s", error.strerror)

    def _append(self, data: bytes) -> None:
        if not self.saved:
            return  # what comes behind a gap would be another conversation
        create = os.O_CREAT if self._identity is None else 0  # one that is gone is not begun anew
        try:
            with self._opened(os.O_WRONLY | os.O_APPEND | create) as file:
                begin = os.fstat(file).st_size
                self._begin = begin if self._begin is None else self._begin
                if _write(file, data) != len(data):
                    os.ftruncate(file, begin)
                    self.saved = False
        except OSError as error:
            self.saved = False
            logger.warning("the conversation cannot be written: %s", error.strerror)

    @contextmanager
    def _opened(self, flags: int) -> Iterator[int]:
        """Opens the file, always the same: whoever shares the directory may put another in its place."""
        file = open_own(self._path, flags)
        try:
            found = os.fstat(file)
            if self._identity not in (None, (found.st_dev, found.st_ino)):
                raise ForeignFile(None, "is another file than before")
            self._identity = found.st_dev, found.st_ino
            yield file
        finally:
            os.close(file)


def conversation_of(lease: Lease, folder: Path) -> tuple[Conversation, History]:
    """Opens the conversation of a session, and reads what was said before.

    Args:
        lease: The run's hold on the session.
        folder: The existing directory of the conversations.

    Raises:
        SessionExists: The id of a new session is taken.
        SessionNotFound: There is nothing to resume.
        StateUnavailable: The file cannot be read.
    """
    conversation = Conversation(folder / f"{lease.agent_id}.jsonl")
    if lease.resumes is None:
        if conversation.is_taken():
            raise SessionExists
        return conversation, History([])
    if lease.resumes == lease.agent_id:
        return conversation, conversation.load(repair=True)
    history = Conversation(folder / f"{lease.resumes}.jsonl").load(repair=False)
    conversation.copy(history)
    return conversation, history


def _write(file: int, data: bytes) -> int:
    written = 0
    with suppress(OSError):
        while written < len(data):
            written += os.write(file, data[written:])
    return written


def _read(file: int) -> bytes:
    with os.fdopen(file, "rb", closefd=False) as reader:
        return reader.read()


def _mend(file: int, data: bytes, whole: int) -> None:
    if whole < len(data):
        os.ftruncate(file, whole)
    elif data and not data.endswith(b"\n"):
        os.pwrite(file, b"\n", len(data))
