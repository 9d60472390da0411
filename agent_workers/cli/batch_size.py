"""How many runs fit on this machine, and how many lines a file has."""

from __future__ import annotations

import os
import resource
from typing import BinaryIO, NamedTuple

_RUN_BYTES = 300 << 20
"""Memory of one run of the agent's CLI and its worker, measured: 250 MB and a little."""
_RUNS_A_PROCESSOR = 4
"""A run takes 1.5 s of processor, measured, in the 5 to 30 s that a model answers."""

_HERE = 128
"""Runs of the engine messages: 5 ms of a processor and 100 kB each, measured, in the seconds that a model answers."""

_RUN_DESCRIPTORS = 6
"""Descriptors of one run: its pipes, what tells its end and what waits for all of these."""
_HERE_DESCRIPTORS = 3
"""Descriptors of one in this process: its connection, its session and the file that is being written."""
_DESCRIPTORS = 64
"""Descriptors of the batch itself, and of what starts a worker."""


class Places(NamedTuple):
    """Runs at once.

    Attributes:
        apart: Those that have a process of their own each.
        here: Those in the process of the batch.
    """

    apart: int
    here: int

    def __str__(self) -> str:
        """Tells the operator."""
        return f"{self.apart} at once, {self.here} of the engine messages"


def places_for(concurrency: int | None) -> Places:
    """Returns how many runs there may be at once, and has them have their descriptors.

    Args:
        concurrency: How many the operator wants of each kind; None for what fits here.
    """
    return _with_descriptors(Places(concurrency or _fitting(), concurrency or _HERE))


def _fitting() -> int:
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    pages = os.sysconf("SC_AVPHYS_PAGES") if "SC_AVPHYS_PAGES" in os.sysconf_names else None
    memory = pages * os.sysconf("SC_PAGE_SIZE") // _RUN_BYTES if pages else _RUNS_A_PROCESSOR * processors
    return max(1, min(_RUNS_A_PROCESSOR * processors, memory))


def _with_descriptors(places: Places) -> Places:
    """Has so many runs have their descriptors; returns how many have, where the system grants no more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    runs = _RUN_DESCRIPTORS * places.apart + _HERE_DESCRIPTORS * places.here
    needed = _DESCRIPTORS + runs
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        share = (soft - _DESCRIPTORS) / runs
        return Places(*(max(1, min(each, int(each * share))) for each in places))
    return places


def count_lines(file: BinaryIO) -> int | None:
    """Counts the lines of a file, to tell how much is left; None for a pipe, whose end nobody knows."""
    if not file.seekable():
        return None
    begin, count = file.tell(), 0
    while chunk := file.read(1 << 20):
        count += chunk.count(b"\n")
    file.seek(begin)
    return count
