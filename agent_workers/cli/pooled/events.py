"""What a pool sends: the lines of a run, and the last one, which tells the exit status."""

from __future__ import annotations

import os
import time

_EVENT = b'{"v"'
_LAST = b'{"pool":1,"exit":'
_LONGEST_LINE = 1 << 20
_MAX_STATUS = 255


class Events:
    """Takes what comes from a pool.

    Attributes:
        exit_status: The worker's, once the last line has come.
        last: The last event that was passed on.
    """

    def __init__(self) -> None:
        self.exit_status: int | None = None
        self.last = b""
        self._rest = b""

    @property
    def is_too_long(self) -> bool:
        """Whether the line that comes can be none of a run."""
        return len(self._rest) > _LONGEST_LINE

    def take(self, chunk: bytes) -> bytes:
        """Returns the lines that a chunk completes, without the last one."""
        lines, newline, self._rest = (self._rest + chunk).rpartition(b"\n")
        lines += newline
        if not lines:
            return b""
        begin = _last_line(lines)
        if not lines.startswith(_EVENT, begin):
            self.exit_status = _status(lines[begin:])
            if self.exit_status is not None:
                lines = lines[:begin]
                begin = _last_line(lines)
        if lines:
            self.last = lines[begin:]
        return lines

    @property
    def has_ended(self) -> bool:
        """Whether the last event was the terminal one."""
        from json import loads  # only where a run ends otherwise than it should

        try:
            return bool(self.last) and loads(self.last)["type"] in ("done", "error", "aborted")
        except (ValueError, LookupError, TypeError):
            return False


def _last_line(lines: bytes) -> int:
    return lines.rfind(b"\n", 0, len(lines) - 1) + 1


def _status(line: bytes) -> int | None:
    """Returns the status that the last line tells; None for a line that is another."""
    plain = line.strip().replace(b" ", b"")
    told = plain[len(_LAST) : -1]
    if not plain.startswith(_LAST) or not told.isdigit():
        return _parsed(line)
    return min(int(told), _MAX_STATUS)


def _parsed(line: bytes) -> int | None:
    from json import loads  # pools of other makes

    try:
        told = loads(line)
    except (ValueError, RecursionError):
        return None
    status = told.get("exit") if isinstance(told, dict) and "pool" in told else None
    return min(status, _MAX_STATUS) if isinstance(status, int) and status >= 0 else None


def aborted() -> bytes:
    """Returns the only event of a run that was stopped before its request had come. Imports nothing: it is for now."""
    now = time.time()
    ts = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    random = os.urandom(16).hex()
    run = f"{random[:8]}-{random[8:12]}-4{random[13:16]}-a{random[17:20]}-{random[20:]}"
    head = f'{{"v":1,"seq":1,"run":"{run}","ts":"{ts}.{int(now * 1000) % 1000:03}Z"'
    is_chained = os.environ.get("AGENT_WORKERS_CHAIN", "").lower() not in ("", "0", "false", "no", "off")
    prev = f',"prev":"{"0" * 64}"' if is_chained else ""
    return f'{head},"type":"aborted","reason":"signal"{prev}}}\n'.encode()
