"""What a process gets from its caller besides files and variables, set to what a worker counts on."""

from __future__ import annotations

import os
import resource
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_STANDARD = range(3)
_RIGHTS = 0o077
_OTHERS_WRITE = 0o002
# At least so much, where the hard limit allows it: the agent's CLI opens about 60 files, and a command line with a
# schema takes a quarter of the stack.
_FLOORS = {resource.RLIMIT_NOFILE: 1024, resource.RLIMIT_STACK: 8 << 20, resource.RLIMIT_FSIZE: resource.RLIM_INFINITY}


def reset_inherited(held: Iterable[signal.Signals] = ()) -> None:
    """Resets signals, timer, umask and limits. An ignored SIGHUP (``nohup``) stays ignored, and niceness as it is.

    Args:
        held: Signals that wait from here on; all others come through.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, held)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, it hides how a child has ended
    signal.alarm(0)
    mask = os.umask(_RIGHTS)
    os.umask(mask & _RIGHTS | _OTHERS_WRITE)  # the user can use his own files, and no other user can write them
    for kind, floor in _FLOORS.items():
        _raise(kind, floor)
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))  # a core file would hold the conversation and the key


def fill_standard_streams() -> None:
    """Opens the standard streams that are closed, for nothing: a file opened later would take the number of one."""
    while (descriptor := os.open(os.devnull, os.O_RDONLY)) in _STANDARD:
        pass
    os.close(descriptor)


def _raise(kind: int, floor: int) -> None:
    """Raises a soft limit to the floor, as far as the hard limit allows it."""
    soft, hard = (_comparable(limit) for limit in resource.getrlimit(kind))
    wanted = min(_comparable(floor), hard)
    if soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (_limit(wanted), _limit(hard)))


def _comparable(limit: int) -> float:
    return float("inf") if limit == resource.RLIM_INFINITY else limit


def _limit(number: float) -> int:
    return resource.RLIM_INFINITY if number == float("inf") else int(number)
