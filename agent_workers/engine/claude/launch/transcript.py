"""The file in which the CLI keeps a conversation: JSON lines in its own form, which it only ever appends to.

It is read to see whether a run was saved, and cut so that a turn that the API refused does not stay.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK = 1 << 16
ROOM = 1 << 16
"""How many bytes a turn may need besides its prompt."""
_MAX_NAME = 200
# What remains of a session whose first turn was refused. A file that the disk had no room for is empty.
_BLANK = b"\n"
_PENDING = "hook_deferred_tool"
_TURNS = ("user", "assistant", _PENDING)


class Transcript:
    """One session's file.

    Args:
        config_dir: Where the CLI keeps its state.
        cwd: The working directory to which the session belongs.
        agent_id: The session as the CLI knows it.

    Attributes:
        room: How many bytes the turn may need.
    """

    def __init__(self, config_dir: Path, cwd: Path, agent_id: str) -> None:
        self.room = ROOM
        self._projects = config_dir / "projects"
        self._usual = self._projects / folder_name(os.path.realpath(cwd)) / f"{agent_id}.jsonl"

    @property
    def path(self) -> Path:
        """Where the file is, or would be."""
        if not self._usual.exists():
            with suppress(OSError):  # another version of the CLI may name folders differently
                found = (folder / self._usual.name for folder in self._projects.iterdir())
                return next((path for path in found if path.exists()), self._usual)
        return self._usual

    def holds(self, message_id: str) -> bool:
        """Tells whether a message is in the file. Searches from the end, where the latest message is."""
        sought = message_id.encode()
        with suppress(OSError), self.path.open("rb") as file:
            end, overlap = file.seek(0, os.SEEK_END), b""
            while end:
                begin = max(0, end - _CHUNK)
                file.seek(begin)
                chunk = file.read(end - begin) + overlap
                if sought in chunk:
                    return True
                end, overlap = begin, chunk[: len(sought)]
        return False

    def is_writable(self) -> bool:
        """Tells whether the disk has room for what the CLI may still write: tries it, beside the file."""
        probe = self.path.with_suffix(f".{os.getpid()}")
        try:
            probe.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe.write_bytes(bytes(self.room))
        except OSError:
            return False
        finally:
            with suppress(OSError):
                probe.unlink()
        return True

    def take_back(self, prompt_id: str) -> None:
        """Removes what the API refused of the turn that began with this prompt. The CLI has ended.

        What the model had answered in that turn stays. The CLI tells it that the calls of its last answer were
        interrupted.

        Raises:
            OSError: The file cannot be changed.
        """
        with self.path.open("r+b") as file:
            begin, end = _refused_part(file, prompt_id)
            if begin == 0 and end:
                file.seek(0)
                file.write(_BLANK)
                begin = len(_BLANK)
            file.truncate(begin)

    def blames_the_past(self, prompt_id: str) -> bool:
        """Tells whether the conversation before this prompt's turn has attachments and the turn has none."""
        past = False
        with suppress(OSError), self.path.open("rb") as file:
            before = True
            for _, _, entry in _lines(file):
                before = before and entry.get("uuid") != prompt_id
                if _has_attachment(entry):
                    if not before:
                        return False
                    past = True
        return past

    def is_blank(self) -> bool:
        """Tells whether the session held nothing but a refused first turn, so that the CLI cannot resume it."""
        with suppress(OSError):
            return self.path.stat().st_size == len(_BLANK)
        return False

    def has_pending_call(self) -> bool:
        """Tells whether the conversation ends with a call that waits: resumed, the CLI begins with it."""
        with suppress(OSError), self.path.open("rb") as file:
            end, length = file.seek(0, os.SEEK_END), _CHUNK
            while True:
                begin = file.seek(max(0, end - length))
                kinds = [kind for _, _, entry in _lines(file) if (kind := _kind(entry)) in _TURNS]
                if kinds or not begin:
                    return kinds[-1:] == [_PENDING]
                length *= 16  # a call's input may be long, and a line that is read in part tells nothing
        return False

    def remove(self) -> None:
        """Removes the file: the CLI begins a session only where there is none."""
        self.path.unlink(missing_ok=True)


def folder_name(path: str) -> str:
    """Returns the name that the CLI gives a working directory's own folders."""
    units = path.encode("utf-16-le", "surrogatepass")
    codes = [int.from_bytes(units[at : at + 2], "little") for at in range(0, len(units), 2)]  # JavaScript counts these
    name = re.sub("[^a-zA-Z0-9]", "-", "".join(map(chr, codes)))
    if len(name) <= _MAX_NAME:
        return name
    number = 0
    for code in codes:
        number = (number * 31 + code) & 0xFFFFFFFF
    return f"{name[:_MAX_NAME]}-{_base36(min(number, (1 << 32) - number))}"


def _base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return (_base36(number // 36) if number >= len(digits) else "") + digits[number % 36]


def _refused_part(file: IO[bytes], prompt_id: str) -> tuple[int, int]:
    """Returns where the refused part begins, 0 where no conversation precedes it, and where the file ends."""
    lines = _lines(file)
    talked = False
    cut = end = file.seek(0, os.SEEK_END)
    file.seek(0)
    for begin, _, entry in lines:
        if entry.get("uuid") == prompt_id:
            cut = begin if talked else 0
            break
        talked = talked or entry.get("type") in ("user", "assistant")
    answered = 0  # where the latest answer without a reply ends
    for begin, after, entry in lines:
        if entry.get("isSidechain"):
            continue
        if _is_answer(entry):
            answered = after
        elif entry.get("type") == "user" and answered:
            cut, answered = begin, 0
    return answered or cut, end


def _lines(file: IO[bytes]) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Yields begin, end and content of each line; the content is empty where the line holds no JSON object."""
    begin = 0
    for line in file:
        entry = None
        with suppress(ValueError, RecursionError):
            entry = json.loads(line)
        yield begin, begin + len(line), entry if isinstance(entry, dict) else {}
        begin += len(line)


def _kind(entry: dict[str, Any]) -> object:
    """Returns the type of a line, and of an attachment its own."""
    attachment = entry.get("attachment")
    return attachment.get("type") if isinstance(attachment, dict) else entry.get("type")


def _is_answer(entry: dict[str, Any]) -> bool:
    """Tells whether this is the model's answer: not the CLI's report of a failure, and no refusal."""
    message = entry.get("message")
    if entry.get("type") != "assistant" or entry.get("isApiErrorMessage") or not isinstance(message, dict):
        return False
    return message.get("model") != "<synthetic>" and message.get("stop_reason") != "refusal"


def _has_attachment(entry: dict[str, Any]) -> bool:
    message = entry.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    inner = [part for block in blocks if isinstance(block.get("content"), list) for part in block["content"]]
    kinds = [block.get("type") for block in (*blocks, *inner) if isinstance(block, dict)]
    return "image" in kinds or "document" in kinds
