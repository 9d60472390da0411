"""What only Linux's prctl(2) can do for a process; elsewhere these do nothing."""

from __future__ import annotations

import ctypes
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36

_LIBRARY = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded here: after a fork is no time for it


def end_with_parent(number: signal.Signals) -> None:
    """Has this process get the signal when its parent ends."""
    _prctl(_PR_SET_PDEATHSIG, number)


def hide_from_others() -> None:
    """Keeps other processes of this user from reading this one's environment and memory."""
    _prctl(_PR_SET_DUMPABLE, 0)


def adopt_orphans() -> None:
    """Makes the descendants whose parents end before them children of this process."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    if _LIBRARY:
        _LIBRARY.prctl(option, value, 0, 0, 0)
