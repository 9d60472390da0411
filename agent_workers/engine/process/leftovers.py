"""The processes that an agent's commands leave behind: found and ended."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from agent_workers.engine.process.prctl import adopt_orphans, hide_from_others

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

MARK = "AGENT_WORKERS_RUN_DIR"
"""The variable that marks the processes of a run; like ``TMPDIR`` it holds the run's temporary directory."""

_ROUNDS = 20  # each round ends what the one before orphaned


class Orphans:
    """The processes whose parents have ended before them. On Linux they become children of this process.

    It must be created before the model runs commands, and also keeps these from reading this process's environment and
    memory, which processes of the same user may otherwise do.
    """

    def __init__(self) -> None:
        hide_from_others()
        adopt_orphans()
        self._known = {
            os.getpid(),
            *_children(os.getpid()),
        }  # a shell may have started others before it became this

    def know(self, *pids: int) -> None:
        """Excludes these processes: they are no orphans."""
        self._known.update(pids)

    def found(self) -> set[int]:
        """Returns the ids of the orphans."""
        return set(_children(os.getpid())) - self._known

    def reap(self) -> None:
        """Reaps the orphans that have ended, which would otherwise remain as zombies."""
        for pid in self.found():
            with suppress(OSError):
                os.waitpid(pid, os.WNOHANG)


def end_leftovers(scratch: Path, *, spare: Collection[int] = (), orphans: Orphans | None = None) -> None:
    """Ends the processes of a run whose guardian is gone, except those to spare.

    They are known by the mark in their environment, wherever they are. Those without the mark are found where they are
    orphans.

    Args:
        scratch: The run's directory for temporary files.
        spare: Process ids.
        orphans: This process's orphans, if it adopts them.
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
    """Yields the processes that bear the mark of the run with this directory, or have a TMPDIR in it."""
    marks = [os.fsencode(f"\0{name}={scratch}") for name in (MARK, "TMPDIR")]
    for pid in _pids():
        with suppress(OSError), open(f"/proc/{pid}/environ", "rb") as environ:  # noqa: PTH123 half the time of a Path
            held = b"\0" + environ.read()
            if any(mark in held for mark in marks):
                yield pid


def descendants(ancestor: int) -> Iterator[int]:
    """Yields the descendants of a process, as far as their parents live."""
    for pid in _children(ancestor):
        yield pid
        yield from descendants(pid)


def _children(parent: int) -> Iterator[int]:
    """Yields the children of a process. The kernel's list is complete only while they start no others."""
    for thread in Path(f"/proc/{parent}/task").glob("*/children"):
        with suppress(OSError):
            yield from map(int, thread.read_bytes().split())


def _pids() -> list[int]:
    names: list[str] = []
    if sys.platform == "linux":
        with suppress(OSError):
            names = os.listdir("/proc")  # noqa: PTH208 half the time of Path.iterdir
    return [int(name) for name in names if name.isdigit()]
