"""The lock of a session's record: one run at a time writes the session, or whoever changes its files from outside."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from agent_workers.engine.host.own_file import open_own
from agent_workers.engine.host.session_record import (
    AT_WORK,
    ENDING,
    OFFERED,
    WANTED,
    busy_ms,
    note_state,
    state_of,
)
from agent_workers.errors import SessionBusy, StateUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from agent_workers.engine.host.session_record import Binding

_PATIENCE_S = 6  # a run that has announced its end is gone within 5 s
_POLL_S = 0.01
_NOTING_S = 0.01  # a run that has just taken the session may not have noted the time yet


def open_locked(record: Path, binding: Binding | None = None, *, create: bool = True) -> int:
    """Opens a record and takes its lock.

    Args:
        record: Where it is.
        binding: The run's binding, which ``lock`` asks for.
        create: Whether a record that is missing is begun; it is empty then.

    Raises:
        FileNotFoundError: There is none, and none is to be begun.
        SessionBusy: A run is writing the session.
        StateUnavailable: The record cannot be opened.
    """
    while True:
        try:
            descriptor = open_own(record, os.O_RDWR | (os.O_CREAT if create else 0))
        except FileNotFoundError as error:
            if not create:
                raise
            raise StateUnavailable(cause=f"{record}: {error.strerror}") from error
        except OSError as error:
            raise StateUnavailable(cause=f"{record}: {error.strerror}") from error
        lock(descriptor, binding)
        if os.fstat(descriptor).st_nlink:  # no other run abandoned it meanwhile
            return descriptor
        os.close(descriptor)


def lock(descriptor: int, binding: Binding | None) -> None:
    """Takes the lock; waits for a run that has announced its end, and for an agent that gives the session up.

    Args:
        descriptor: The record; closed where this fails.
        binding: That of whoever may be told since when the session is in use; None for whoever it belongs to.

    Raises:
        SessionBusy: Another run is writing the session.
        StateUnavailable: The record cannot be locked.
    """
    now = time.monotonic()
    deadline, least = now + _PATIENCE_S, now + _NOTING_S
    try:
        while not _is_free(descriptor):
            state = state_of(descriptor)
            if state == OFFERED:
                note_state(descriptor, WANTED)
            if time.monotonic() > (deadline if state in (ENDING, OFFERED, WANTED) else least):
                raise SessionBusy(busy_ms(descriptor, binding))
            time.sleep(_POLL_S)
        if state_of(descriptor) in (ENDING, OFFERED, WANTED):
            note_state(descriptor, AT_WORK)
    except OSError as error:
        os.close(descriptor)
        raise StateUnavailable(cause=f"a session could not be locked: {error.strerror}") from error
    except SessionBusy:
        os.close(descriptor)
        raise


def await_end(descriptor: int) -> None:
    """Waits briefly for a run that has announced its end."""
    deadline = time.monotonic() + _PATIENCE_S
    with suppress(OSError):
        while (
            state_of(descriptor) == ENDING and not _is_free(descriptor, fcntl.LOCK_SH) and time.monotonic() < deadline
        ):
            time.sleep(_POLL_S)


def _is_free(descriptor: int, lock: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, lock | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
