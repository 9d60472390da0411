"""What of a killed batch has reached the file that its stdout is. What a pipe has taken nobody can ask."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_BEGINS = (b'{"run":', b'{"v":')
"""So begin results and events, also of lines that will run again: nothing is to stand behind half of one."""
_TAIL = 64 << 20
"""Bytes at the end of the file in which the lines of runs that ended together are looked for."""


def lines_to_write(stdout: int, lines: Sequence[bytes]) -> list[bytes]:
    """Returns those of the last lines of a batch that are not in the file; a half one at its end is removed.

    Args:
        stdout: The descriptor of the file.
        lines: What a killed batch wrote last, or was about to write, of what will not run again.
    """
    if not stat.S_ISREG(os.fstat(stdout).st_mode):
        return list(lines)
    tail = _tail(stdout)
    if tail is None:
        return list(lines)
    *whole, rest = tail.split(b"\n")
    if rest and any(begin.startswith(rest[: len(begin)]) for begin in (*_BEGINS, *lines)):
        os.ftruncate(stdout, os.fstat(stdout).st_size - len(rest))
    written = set(whole)
    return [line for line in lines if line.removesuffix(b"\n") not in written]


def _tail(stdout: int) -> bytes | None:
    """Reads the end of the file, which is open for writing alone; None where the system or its owner forbids it."""
    try:
        with open(f"/dev/fd/{stdout}", "rb") as file:  # noqa: PTH123 no path that a file has
            file.seek(max(0, os.fstat(stdout).st_size - _TAIL))
            return file.read()
    except OSError:
        return None
