"""How long a test waits: for as long as what it waits for would take on a machine that does nothing else."""

import os
import re
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
PATIENCE_S = 120
"""No wait lasts longer. What is expected comes within seconds; the rest is for a machine that is very busy."""
_TICK_S = 0.05
_LONGEST_TICK_S = 3 * _TICK_S
_LONGEST_PAUSE_S = 0.2
_PROCESSORS = os.cpu_count() or 1


class _Clock:
    """Seconds of a processor's time, as a process gets it that shares the processors with all others that run.

    Where twice as many processes want to run as there are processors, a second lasts two. A tick that comes far too
    late, as after a pause of the whole machine, counts as one that is a little late.
    """

    def __init__(self) -> None:
        self._passed = 0.0
        self._ticked = time.monotonic()
        self._share = 1.0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def now(self) -> float:
        with self._lock:
            if self._thread is None:
                self._ticked, self._share = time.monotonic(), share(_running())
                self._thread = threading.Thread(target=self._tick, daemon=True)
                self._thread.start()
            return self._passed + self._since()

    def _since(self) -> float:
        return min(time.monotonic() - self._ticked, _LONGEST_TICK_S) * self._share

    def _tick(self) -> None:
        while True:
            time.sleep(_TICK_S)
            with self._lock:
                self._passed += self._since()
                self._ticked, self._share = time.monotonic(), share(_running())


def share(running: int) -> float:
    """Which part of a processor each of so many processes gets."""
    return min(1.0, _PROCESSORS / max(1, running))


def clock_s(seconds: float) -> float:
    """What so much of a process's time is by the clock now: limits of a request go by the clock."""
    last_minute = float(Path("/proc/loadavg").read_text("ascii").split()[0])
    return min(seconds / share(max(_running(), round(last_minute))), PATIENCE_S / 2)


def _running() -> int:
    """How many processes run or want to, but for this one, which asks."""
    return int(Path("/proc/loadavg").read_text("ascii").split()[3].partition("/")[0]) - 1


now = _Clock().now
"""Seconds since the first call, of the time that a process had on this machine; only differences mean something."""


def until(condition: Callable[[], T], within_s: float = PATIENCE_S, what: object = "") -> T:
    """Waits for a condition and returns what it returned; fails after ``within_s`` of the time that a process had.

    Args:
        what: What is told of a failure; a function is called then, and tells how things were at the end.
    """
    began = now()
    pause_s = 0.005
    looked = time.monotonic()
    while not (result := condition()):
        assert now() - began < within_s, f"not within {within_s} s: {what() if callable(what) else what}"
        # A look that costs much, such as one at all processes or into a browser, takes a small part of the time only.
        took_s = time.monotonic() - looked
        time.sleep(max(pause_s, min(5 * took_s, _LONGEST_PAUSE_S)))
        pause_s = min(1.2 * pause_s, 0.05)
        looked = time.monotonic()
    return result


def told_of(pids: Iterable[int]) -> str:
    """What there is to know of processes that should have gone, one a line."""
    return "\n".join(f"{pid}: {_state(Path(f'/proc/{pid}'))}" for pid in pids)


def _state(process: Path) -> str:
    try:
        command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        state = re.findall(r"^(?:State|PPid|Sig\w{3}):.*", (process / "status").read_text(), flags=re.MULTILINE)
        return f"{command}\n    waits in {(process / 'wchan').read_text()}; {'; '.join(state)}"
    except OSError as gone:
        return repr(gone)
