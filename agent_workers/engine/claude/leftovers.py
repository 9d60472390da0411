"""The commands of an agent beside this process: what they may not see of it, and what they may leave behind."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .environment import remove_scratch
from .kernel import adopt_orphans, hide_from_others

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_ORDERLY_S = 3
_PAUSE_S = 0.05
_ROUNDS = 20  # each ends what the one before has orphaned
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


class Orphans:
    """The processes whose parents have ended before them. On Linux they become children of this process.

    To be made before a model runs commands; also keeps these from reading this process's environment and memory, as
    any process of the same user may unless it is forbidden.
    """

    def __init__(self) -> None:
        hide_from_others()
        adopt_orphans()
        self._known = {os.getpid(), *_children(os.getpid())}  # a shell may have made others before it became this one

    def know(self, *pids: int) -> None:
        """Takes these for no orphans."""
        self._known.update(pids)

    def found(self) -> set[int]:
        """Those that there are."""
        return set(_children(os.getpid())) - self._known

    def reap(self) -> None:
        """Lets those that have ended go: as children of a process that does not ask for them they would remain."""
        for pid in self.found():
            with suppress(OSError):
                os.waitpid(pid, os.WNOHANG)


def end_leftovers(scratch: Path, *, spare: Collection[int], orphans: Orphans | None) -> None:
    """Ends the processes of a run, but for those to spare.

    They are known by the run's TMPDIR in their environment, wherever they were moved to; those that have shed it are
    found where they are orphans.

    Args:
        scratch: The run's TMPDIR.
        spare: Process ids.
        orphans: Of this process, if it looks after them.
    """
    for _ in range(_ROUNDS):
        found = {*processes_of(scratch), *(orphans.found() if orphans else ())} - {*spare, os.getpid()}
        if not found:
            return
        for pid in found:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
            with suppress(OSError):
                os.waitpid(pid, os.WNOHANG)


def processes_of(scratch: Path) -> Iterator[int]:
    """The processes whose TMPDIR is this directory or lies in it."""
    mark = os.fsencode(f"\0TMPDIR={scratch}")
    for pid in _pids():
        with suppress(OSError), open(f"/proc/{pid}/environ", "rb") as environ:  # noqa: PTH123 half the time of a Path
            if mark in b"\0" + environ.read():
                yield pid


def _children(parent: int) -> Iterator[int]:
    """The processes that have this one as their parent; the kernel's list of them is complete while they rest."""
    for thread in Path(f"/proc/{parent}/task").glob("*/children"):
        with suppress(OSError):
            yield from map(int, thread.read_bytes().split())


def _pids() -> list[int]:
    names: list[str] = []
    if sys.platform == "linux":
        with suppress(OSError):
            names = os.listdir("/proc")  # noqa: PTH208 half the time of Path.iterdir
    return [int(name) for name in names if name.isdigit()]


class Guardian:
    """A process that does what is left to do when this one is killed: it ends the run's processes and files.

    To be made before there are threads, and after the CLI, whose pipes it closes.

    Args:
        cli: The CLI's process id.
        scratch: The run's directory for temporary files.
        keep: Descriptors to keep open until all is done.

    Attributes:
        pid: Its process id; 0 where there is none.
    """

    def __init__(self, cli: int, scratch: Path, keep: Collection[int] = ()) -> None:
        self.pid = 0
        if sys.platform != "linux":
            return
        waiting, self._alive = os.pipe()
        held = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # no handler of this process may run in that one
        try:
            self.pid = os.fork()
            if self.pid == 0:
                _guard(waiting, cli, scratch, keep)
        except OSError:
            os.close(self._alive)  # without a guardian all but SIGKILL is covered
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
            os.close(waiting)

    def dismiss(self) -> None:
        """Ends it: this process has done it all."""
        if self.pid:
            with suppress(OSError):
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            os.close(self._alive)
            self.pid = 0


def _guard(waiting: int, cli: int, scratch: Path, keep: Collection[int]) -> None:
    """Waits for the end of the parent, in a process of its own; never returns."""
    try:
        for ignored in _SIGNALS:
            signal.signal(ignored, signal.SIG_IGN)
        os.setsid()
        for number in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208 as above
            if number != waiting and number not in keep:
                with suppress(OSError):
                    os.close(number)  # whoever reads the events waits for the last writer to go
        os.read(waiting, 1)
        last = time.monotonic() + _ORDERLY_S  # the CLI gets SIGTERM when its parent ends, and saves the session
        while cli in processes_of(scratch) and time.monotonic() < last:
            time.sleep(_PAUSE_S)
        end_leftovers(scratch, spare=(), orphans=None)
        remove_scratch(scratch)
    finally:
        os._exit(0)
