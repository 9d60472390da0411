"""What a worker leaves behind: found, told, and ended. Beyond its group only where the system is Linux."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

_SET_CHILD_SUBREAPER = 36  # prctl(2)
_PAUSE_S = 0.02
_LONGEST = 200


class Nursery:
    """Knows the processes that the kit has started; what it adopts besides was left behind by one of them.

    While ``adopting``, orphans become children of this process, whatever session or group they have gone to.
    """

    def __init__(self) -> None:
        self._own = set(_children())
        self._lock = Lock()

    @contextmanager
    def adopting(self) -> Iterator[None]:
        """Adopts orphans, and ends those that are left in the end."""
        _adopt(True)
        try:
            yield
        finally:
            self.strays()
            _adopt(False)

    def start(self, start: Callable[[], T], pid_of: Callable[[T], int]) -> T:
        """Starts a process that the kit waits for itself."""
        with self._lock:  # else it might be taken for an orphan
            started = start()
            self._own.add(pid_of(started))
        return started

    def forget(self, pid: int) -> None:
        """Forgets a process that has ended."""
        with self._lock:
            self._own.discard(pid)

    def left_by(self, group: int, mark: str, within_s: float) -> list[str]:
        """Waits for what a worker has left behind to end, and ends it; returns the command lines of what did not.

        Args:
            group: The worker's process group.
            mark: A text in the environment of the worker, and of no other.
            within_s: How long to wait.
        """
        until = time.monotonic() + within_s
        while left := self._left(group, mark):
            if time.monotonic() >= until:
                told = [_command(pid) for pid in left]
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(group, signal.SIGKILL)
                _end(left)
                return told
            time.sleep(_PAUSE_S)
        return []

    def strays(self) -> list[str]:
        """Ends what was left behind without a trace of whose it is; returns the command lines."""
        told: list[str] = []
        while left := self._adopted(None):
            told += map(_command, left)
            _end(left)
        return told

    def _left(self, group: int, mark: str) -> list[int]:
        left = self._adopted(mark)
        if not left and _has_group(group):
            left = [pid for pid in _children() if _group_of(pid) == group] or [group]
        return left

    def _adopted(self, mark: str | None) -> list[int]:
        with self._lock:
            found = [pid for pid in _children() if pid not in self._own]
            return [pid for pid in found if not _reaped(pid) and (mark is None or _is_marked(pid, mark))]


def _adopt(on: bool) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, int(on), 0, 0, 0)


def _children() -> list[int]:
    """Returns the children of the first thread, to which orphans go."""
    with suppress(OSError):
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii").split()]
    return []


def _reaped(pid: int) -> bool:
    """Takes the status of an orphan that has ended; says whether it had."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def _end(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _is_marked(pid: int, mark: str) -> bool:
    with suppress(OSError):
        return mark.encode() in Path(f"/proc/{pid}/environ").read_bytes()
    return False


def _group_of(pid: int) -> int | None:
    with suppress(OSError):
        return os.getpgid(pid)
    return None


def _has_group(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _command(pid: int) -> str:
    with suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
        if command:
            return command[:_LONGEST]
    return f"process {pid}"
