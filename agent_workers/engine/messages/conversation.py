"""The file of a conversation: JSON lines, each a message as the API takes it, written as soon as it is complete.

It is read and written under the session's lease, so by one run at a time; a fork only reads it.
"""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from agent_workers.errors import SessionExists, SessionNotFound, StateUnavailable
from agent_workers.wire import dump

if TYPE_CHECKING:
    from pathlib import Path

    from agent_workers.engine.host.sessions import Lease

Message = dict[str, Any]

logger = logging.getLogger("agent_workers")

_INTERRUPTED = "The call was interrupted: what it has done is not known."
_THOUGHTS = ("thinking", "redacted_thinking")


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
        self._begin: int | None = None  # of this run's turn

    def load(self, *, repair: bool) -> History:
        """Reads the conversation so far, without the thoughts of its turns.

        Args:
            repair: Whether to remove a last line that was cut off, which only the lease's holder may do.

        Raises:
            SessionNotFound: There is no file.
            StateUnavailable: It cannot be read.
        """
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            raise SessionNotFound(cause=f"{self._path} is gone") from None
        except OSError as error:
            raise StateUnavailable(cause=f"{self._path}: {error.strerror}") from error
        lines, whole = _whole_lines(data)
        if repair and whole < len(data):
            with suppress(OSError):
                os.truncate(self._path, whole)
        model = next((line["model"] for line in reversed(lines) if line.get("model")), None)
        return History(_mended(lines), model)

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
                os.truncate(self._path, self._begin)
            except OSError as error:
                logger.warning("a turn that does not count stays in the session: %s", error.strerror)

    def _append(self, data: bytes) -> None:
        if not self.saved:
            return  # what comes behind a gap would be another conversation
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                begin = os.fstat(file).st_size
                self._begin = begin if self._begin is None else self._begin
                if _write(file, data) != len(data):
                    os.ftruncate(file, begin)
                    self.saved = False
            finally:
                os.close(file)
        except OSError as error:
            self.saved = False
            logger.warning("the conversation cannot be written: %s", error.strerror)


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
        with suppress(SessionNotFound):
            if conversation.load(repair=True).messages:
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


def _whole_lines(data: bytes) -> tuple[list[Message], int]:
    """Returns the messages, and how many bytes of the data they take."""
    messages: list[Message] = []
    end = 0
    for line in data.splitlines(keepends=True):
        try:
            message = json.loads(line) if line.endswith(b"\n") else None
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("content"), list):
            break
        messages.append(message)
        end += len(line)
    return messages, end


def _mended(lines: list[Message]) -> list[Message]:
    """Returns the messages so that the API takes them: each call has a result, and no message is empty."""
    found: list[Message] = []
    for line in lines:
        content = [block for block in line["content"] if _counts(block)]
        missing = _unanswered(found, content)
        if missing and line["role"] == "user":
            content = [*missing, *content]
        elif missing:
            found.append({"role": "user", "content": missing})
        if content:
            found.append({"role": line["role"], "content": content})
    if missing := _unanswered(found, []):
        found.append({"role": "user", "content": missing})
    return found


def _counts(block: Any) -> bool:
    if not isinstance(block, dict) or block.get("type") in _THOUGHTS:
        return False
    return block.get("type") != "text" or bool(str(block.get("text", "")).strip())


def _unanswered(messages: list[Message], content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns results for the calls of the last message that the content after it does not answer."""
    last = messages[-1] if messages and messages[-1]["role"] == "assistant" else {"content": []}
    answered = {block.get("tool_use_id") for block in content if block.get("type") == "tool_result"}
    calls = [block["id"] for block in last["content"] if block.get("type") == "tool_use"]
    return [
        {"type": "tool_result", "tool_use_id": call, "content": _INTERRUPTED, "is_error": True}
        for call in calls
        if call not in answered
    ]
