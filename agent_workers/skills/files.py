"""The files of a skill's folder: none of them leads out of it, keeps its reader waiting, or fills the memory."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from agent_workers.protocol.document import parse_json
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.skills.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 1 << 20

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINE = re.compile(r"\bline (\d+)")


class Unreadable(Exception):
    """Raised when a file cannot be read.

    Attributes:
        faults: Why, and the cure.
    """

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = list(faults)


def folder_fault(folder: Path) -> Fault | None:
    """Says why a path is no folder that can be read; None where it is one."""
    try:
        if folder.is_file():
            return Fault("", "", "is a file; name the folder that holds it")
        if not folder.is_dir():
            return Fault("", "", "there is no such folder; check its name, or write it with agent-skill new")
        with os.scandir(folder):
            return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return Fault("", "", f"cannot be read: {reason}")


def read_text(folder: Path, name: str) -> str | None:
    """Reads a file as UTF-8, each line's end as one newline; None where there is no such file.

    Raises:
        Unreadable: It cannot be read, or leads out of the folder, or is too large, or is not UTF-8.
    """
    path = folder / name
    if not os.path.lexists(path):
        return None
    data = _bytes(folder, path, name)
    if len(data) > MAX_BYTES:
        raise Unreadable(Fault(name, "", f"is larger than {MAX_BYTES} bytes; a skill's file has at most so many"))
    if data.startswith(_BYTE_ORDER_MARK):
        raise Unreadable(Fault(name, "", "begins with a byte order mark; save it as UTF-8 without one", 1))
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        words = f"is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}; save it as UTF-8"
        raise Unreadable(Fault(name, "", words, line)) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_object(folder: Path, name: str) -> dict[str, Any] | None:
    """Reads a file as a JSON object; None where there is none.

    Raises:
        Unreadable: It cannot be read, or is none.
    """
    text = read_text(folder, name)
    if text is None:
        return None
    if not text.strip():
        raise Unreadable(Fault(name, "", "is empty; write one JSON object"))
    try:
        value = parse_json(text.encode())
    except RequestProblems as problems:
        raise Unreadable(*(_fault(name, each.pointer, each.message) for each in problems.problems)) from None
    if not isinstance(value, dict):
        raise Unreadable(Fault(name, "", "must be a JSON object: {…}"))
    return value


def _bytes(folder: Path, path: Path, name: str) -> bytes:
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(folder.resolve()):
            raise Unreadable(Fault(name, "", "is a link that leads out of the folder; put the file itself here"))
        if not real.is_file():  # a pipe would keep its reader waiting
            raise Unreadable(Fault(name, "", "is no file; put a file here"))
        with real.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise Unreadable(Fault(name, "", "is a link that leads nowhere; put the file itself here")) from None
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, before Python 3.13
        reason = error.strerror if isinstance(error, OSError) else "its links go in a circle"
        raise Unreadable(Fault(name, "", f"cannot be read: {reason}")) from None


def _fault(name: str, pointer: str, message: str) -> Fault:
    found = _LINE.search(message)
    return Fault(name, pointer, message, int(found[1]) if found else None)
