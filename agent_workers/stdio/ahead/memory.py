"""What a worker process and its agent take of the machine's memory."""

import re
from collections.abc import Iterable
from pathlib import Path

_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def memory_of(pids: Iterable[int]) -> int:
    """Returns the bytes of these processes, shared pages by their share (PSS); those that are gone take none."""
    total = 0
    for pid in pids:
        try:
            found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text("ascii"))
        except OSError:
            continue
        total += int(found[1]) * 1024 if found else 0
    return total
