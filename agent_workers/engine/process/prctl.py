"""What only Linux can do for a process; elsewhere these functions do nothing."""

from __future__ import annotations

import ctypes
import os
import sys
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal
    from collections.abc import Collection

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36

_LIBRARY = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded here: after a fork it is too late


def end_with_parent(number: signal.Signals) -> None:
    """Sends this process the signal when its parent ends."""
    _prctl(_PR_SET_PDEATHSIG, number)


def hide_from_others() -> None:
    """Keeps other processes of this user from reading this one's environment and memory."""
    _prctl(_PR_SET_DUMPABLE, 0)


def adopt_orphans() -> None:
    """Makes the descendants whose parents end before them children of this process."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def blank_in_environment(names: Collection[str]) -> None:
    """Blanks variables in this process's initial environment, which ``/proc/PID/environ`` keeps showing."""
    if _LIBRARY is None:
        return
    entries = ctypes.POINTER(ctypes.c_void_p).in_dll(_LIBRARY, "environ")
    for number in count():
        if not (address := entries[number]):
            return
        entry = ctypes.string_at(address)
        name, equals, value = entry.partition(b"=")
        if os.fsdecode(name) in names:
            ctypes.memset(address + len(name) + len(equals), 0, len(value))


def _prctl(option: int, value: int) -> None:
    if _LIBRARY:
        _LIBRARY.prctl(option, value, 0, 0, 0)
