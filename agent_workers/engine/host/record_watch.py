"""Tells a process without an event loop that a session's record was written: inotify(7), on Linux alone."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

_WRITTEN = 0x2 | 0x4  # IN_MODIFY and IN_ATTRIB, which tells that the file was removed; <sys/inotify.h>
_SOME = 1 << 12


class RecordWatch:
    """Watches a record that is open. Where the system gives no watch, it tells nothing.

    Args:
        record: The record's descriptor.

    Attributes:
        descriptor: Readable when something has happened; None where nothing is told.
    """

    def __init__(self, record: int) -> None:
        self.descriptor: int | None = None
        if sys.platform != "linux":
            return
        library = ctypes.CDLL(None)
        descriptor = library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if descriptor >= 0:
            library.inotify_add_watch(descriptor, f"/proc/self/fd/{record}".encode(), _WRITTEN)
            self.descriptor = descriptor

    def clear(self) -> None:
        """Forgets what has happened until now."""
        if self.descriptor is not None:
            with suppress(BlockingIOError):
                while os.read(self.descriptor, _SOME):
                    pass

    def close(self) -> None:
        """Watches no more."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None
