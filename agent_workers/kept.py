"""What was made of files, kept for as long as they are the same: a process that runs many reads each of them once."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from pathlib import Path

T = TypeVar("T")

_MOST = 64
_SETTLED_NS = 2_000_000_000
"""A file that was changed within this time may change once more without a trace: file systems round their times."""

_Signature = tuple[tuple[int, ...] | None, ...]


class Kept(Generic[T]):
    """What was made of some files each, the latest of it."""

    def __init__(self) -> None:
        self._found: dict[Hashable, tuple[_Signature, T]] = {}

    def get(self, key: Hashable, files: Sequence[Path | str], make: Callable[[], T]) -> T:
        """Returns what was made of the files; what was kept where none of them has changed since.

        Args:
            key: What it is, with all that it depends on beside the files.
            files: Files and folders, there or not.
            make: Makes it. What it raises is not kept.
        """
        before = _signature(files)
        known = self._found.get(key)
        if known and known[0] == before:
            return known[1]
        made = make()
        self._found.pop(key, None)
        if _is_settled(before):  # and then has not changed while it was read
            if len(self._found) >= _MOST:
                del self._found[next(iter(self._found))]
            self._found[key] = before, made
        return made


def _signature(files: Sequence[Path | str]) -> _Signature:
    return tuple(map(_status, files))


def _status(file: Path | str) -> tuple[int, ...] | None:
    try:
        status = os.stat(file)  # noqa: PTH116 the path may be text
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_mode


def _is_settled(signature: _Signature) -> bool:
    newest = max((each[4] for each in signature if each), default=0)
    return time.time_ns() - newest > _SETTLED_NS
