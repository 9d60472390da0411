"""Opens files in a directory that other users may write: this user's own only, and under no other name."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SAFE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe in its place keeps nobody waiting


class ForeignFile(OSError):
    """Raised when what is there is not this user's own file."""


def open_own(path: Path, flags: int) -> int:
    """Opens a file of this user's; a new one is closed to others.

    Args:
        path: Where it is.
        flags: Those of ``os.open``.

    Raises:
        ForeignFile: A link, a pipe or another user's file is there, or the file has another name too.
        OSError: It cannot be opened.
    """
    try:
        descriptor = os.open(path, flags | _SAFE, 0o600)
    except OSError as error:
        if path.is_symlink():
            raise ForeignFile(error.errno, "is a link") from error
        raise
    found = os.fstat(descriptor)
    if fault := _fault(found):
        os.close(descriptor)
        raise ForeignFile(None, fault)
    return descriptor


def _fault(found: os.stat_result) -> str | None:
    if not stat.S_ISREG(found.st_mode):
        return "is no file"
    if found.st_uid != os.geteuid():
        return "belongs to another user of this host"
    return "has another name too" if found.st_nlink > 1 else None
