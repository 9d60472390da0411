"""The small file of a session: what the session is bound to, and since when a run holds it."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from agent_workers.errors import StateUnavailable

if TYPE_CHECKING:
    from pathlib import Path

AGENT = "agent"
"""The engine of a binding that names none."""
AT_WORK, ENDING, OFFERED, WANTED = b" ", b"\n", b"\t", b"\r"
"""The first byte of a record. To JSON all are blanks, so it can be changed in place.

A run is at work, or only ends. Or its agent waits for the next one, and gives the session up to whoever wants it.
"""
_MAX_RECORD = 1 << 16
# The second line: when the run that holds the session took it, in milliseconds of a clock that is the same for all
# processes of a machine, goes on while the machine sleeps, and is never set.
_SINCE = b"%016d\n"
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Binding(NamedTuple):
    """What a session is bound to: a run with another binding may not resume it.

    Attributes:
        worker: The worker's name.
        cwd: The task's working directory, without links; None for a chat, which has none of its own.
        owner: The request's ``session_owner``.
        engine: The engine that keeps the conversation; those of before there were two are the agent's.
    """

    worker: str
    cwd: str | None
    owner: str | None
    engine: str = AGENT


def write_record(descriptor: int, binding: Binding, record: Path) -> None:
    """Writes a new session's record; takes it back, and closes it, where that fails."""
    try:
        data = AT_WORK + json.dumps(binding._asdict()).encode() + b"\n"
        if os.pwrite(descriptor, data, 0) != len(data):
            raise OSError(None, "the disk is full")
    except OSError as error:
        record.unlink(missing_ok=True)
        os.close(descriptor)
        raise StateUnavailable(cause=f"{record}: {error.strerror}") from error


def state_of(descriptor: int) -> bytes:
    """Returns the state of a session that is held."""
    return os.pread(descriptor, 1, 0)


def note_state(descriptor: int, state: bytes) -> None:
    """Notes what becomes of a session."""
    os.pwrite(descriptor, state, 0)


def note_time(descriptor: int) -> None:
    """Notes in a record since when its session is held."""
    with suppress(OSError):  # then nobody is told
        first = _lines(descriptor)[0]
        if first.endswith(b"\n"):
            os.pwrite(descriptor, _SINCE % _now_ms(), len(first))


def busy_ms(descriptor: int, binding: Binding | None) -> int | None:
    """Returns for how long a session has been held; None where that is not noted, or is not this binding's matter."""
    with suppress(OSError):
        since = _lines(descriptor)[1]
        if len(since) == len(_SINCE % 0) and since.strip().isdigit() and binding in (None, read_binding(descriptor)):
            passed = _now_ms() - int(since)
            return passed if passed >= 0 else None  # the run may be another machine's, with the same files
    return None


def _now_ms() -> int:
    return int(time.clock_gettime(_CLOCK) * 1000)


def read_binding(descriptor: int) -> Binding | None:
    """Reads a session's binding; None where the record is incomplete because its writer was killed."""
    try:
        return Binding(**json.loads(_lines(descriptor)[0]))
    except (OSError, ValueError, TypeError):
        return None


def _lines(descriptor: int) -> tuple[bytes, bytes]:
    """Returns the state and the binding of a record, and since when it is held, which older versions did not note."""
    data = os.pread(descriptor, _MAX_RECORD, 0)
    end = data.find(b"\n", 1) + 1 or len(data)
    return data[:end], data[end:]
