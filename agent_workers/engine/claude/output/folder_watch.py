"""Tells at once that something was made in a folder: inotify(7), on Linux alone."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_CREATED = 0x100  # IN_CREATE, <sys/inotify.h>
_SOME = 1 << 14
_LIBRARY = ctypes.CDLL(None) if sys.platform == "linux" else None


class FolderWatch:
    """Watches folders from within an event loop. Where the system gives no watch, it tells nothing.

    Args:
        changed: Called when something was made in one of them.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._watched: set[Path] = set()
        self._descriptor = _LIBRARY.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC) if _LIBRARY else -1
        self._loop = asyncio.get_running_loop()
        if self._descriptor >= 0:
            self._loop.add_reader(self._descriptor, self._notice)

    def add(self, *folders: Path) -> None:
        """Watches these folders too."""
        for folder in folders:
            if _LIBRARY and self._descriptor >= 0 and folder not in self._watched:
                _LIBRARY.inotify_add_watch(self._descriptor, os.fsencode(folder), _CREATED)
                self._watched.add(folder)

    def close(self) -> None:
        """Watches no more."""
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _notice(self) -> None:
        with suppress(BlockingIOError):
            while os.read(self._descriptor, _SOME):
                pass
        self._changed()
