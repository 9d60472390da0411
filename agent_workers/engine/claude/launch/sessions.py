"""Whose a session is, and who is at work in it: one small file for each session, which is its lock too."""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4, uuid5

from agent_workers.errors import SessionBusy, SessionExists, SessionNotFound, StateUnavailable
from agent_workers.protocol.v1.settings import ResumeSession

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from agent_workers.protocol.v1.settings import NewSession

_NAMESPACE = UUID("6f0b7c52-52c5-4f6e-9d0e-0f1f4b0f7a34")
# The first byte of a record; both are blanks to JSON, so that it can be changed in place.
_AT_WORK, _ENDING = b" ", b"\n"
_MAX_RECORD = 1 << 16
_PATIENCE_S = 6  # a run that has told its end is gone within 5 s
_POLL_S = 0.01


@dataclass(frozen=True)
class Binding:
    """What a session stays bound to: a run with any other may not resume it.

    Attributes:
        worker: The worker's name.
        cwd: The task's working directory, without links; None for a chat, which has none of its own.
        owner: The request's ``session_owner``.
    """

    worker: str
    cwd: str | None
    owner: str | None


@dataclass
class Lease:
    """A run's hold on the session that it writes; no other run gets one until it ends.

    The lock belongs to the open file, so that it lasts until the last process that has inherited the descriptor has
    ended: the CLI may still write when the worker was killed.

    Attributes:
        session_id: The session as the application knows it.
        agent_id: The session as the CLI knows it. Command lines and names of files, which other users and other agents
            of the host may see, have this one, by which no request can resume it.
        flags: For the CLI's command line.
        descriptor: Of the locked record; None once it was let go.
        new_record: The record's path where this run has made it.
        resumes: The session, as the CLI knows it, from which this one goes on; None where it begins.
    """

    session_id: str
    agent_id: str
    flags: Sequence[str]
    descriptor: int | None
    new_record: Path | None = None
    resumes: str | None = None

    def rename(self, message: dict[str, Any]) -> None:
        """Has a message of the CLI name the session as the application knows it."""
        if message.get("session_id") == self.agent_id:
            message["session_id"] = self.session_id

    def begin_anew(self) -> None:
        """Has the CLI begin the session: there is nothing to go on from."""
        self.flags = [f"--session-id={self.agent_id}"]

    def announce_end(self) -> None:
        """Says that the run writes no more than its end: the next one may wait for it."""
        if self.descriptor is not None:
            with suppress(OSError):
                os.pwrite(self.descriptor, _ENDING, 0)

    def release(self) -> None:
        """Lets go of the session in this process."""
        if self.descriptor is not None:
            descriptor, self.descriptor = self.descriptor, None
            os.close(descriptor)

    def abandon(self) -> None:
        """Takes back the lease of a run that has not begun; the id of a new session may be used again."""
        if self.new_record:
            self.new_record.unlink(missing_ok=True)
        self.release()


def take_lease(session: ResumeSession | NewSession | None, folder: Path, binding: Binding) -> Lease:
    """Takes hold of the session that a run is going to write.

    A fork reads its original as it stands, also while another run is at work in it, and writes a session of its own.
    For a run that has told its end it waits: what was refused may be on its way out.

    Args:
        session: Of the request.
        folder: Where the records lie; exists.
        binding: Of the run.

    Raises:
        SessionNotFound: There is no such session, or it is bound to something else.
        SessionBusy: Another run is at work in it.
        SessionExists: The id for a new one is taken.
        StateUnavailable: The record cannot be read or written.
    """
    if not isinstance(session, ResumeSession):
        return _begin(session.id if session else str(uuid4()), folder, binding)
    agent_id = _agent_id(session.resume)
    if session.fork:
        descriptor = _opened(folder / agent_id, binding)
        _await_end(descriptor)
        os.close(descriptor)
        lease = _begin(str(uuid4()), folder, binding, flags=[f"--resume={agent_id}", "--fork-session"])
        lease.resumes = agent_id
        return lease
    descriptor = _opened(folder / agent_id, binding)
    _lock(descriptor)
    return Lease(session.resume, agent_id, [f"--resume={agent_id}"], descriptor, resumes=agent_id)


def _agent_id(session_id: str) -> str:
    """The session as the CLI knows it. A hash: the application's id cannot be found from it."""
    return str(uuid5(_NAMESPACE, session_id))


def _opened(record: Path, binding: Binding) -> int:
    try:
        descriptor = os.open(record, os.O_RDWR)
    except FileNotFoundError:
        cause = f"no run has begun this session in the state directory {record.parent.parent}"
        raise SessionNotFound(cause=cause) from None
    except PermissionError:
        raise SessionNotFound(cause=f"{record}: belongs to another user of this host") from None
    except OSError as error:
        raise StateUnavailable(cause=f"{record}: {error.strerror}") from error
    if (found := _read(descriptor)) == binding:
        return descriptor
    os.close(descriptor)
    differing = [name for name, value in asdict(binding).items() if found is None or getattr(found, name) != value]
    raise SessionNotFound(cause=f"the session was begun with another {' and another '.join(differing)}")


def _begin(session_id: str, folder: Path, binding: Binding, *, flags: Sequence[str] = ()) -> Lease:
    """Makes the record of a new session, before anything else of it exists.

    One that was begun by the same but never written to is taken over; where it was, the CLI says that the id is taken.
    """
    agent_id = _agent_id(session_id)
    record = folder / agent_id
    while True:
        try:
            descriptor = os.open(record, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StateUnavailable(cause=f"{record}: {error.strerror}") from error
        _lock(descriptor)
        status = os.fstat(descriptor)
        if status.st_nlink:  # it was not abandoned meanwhile
            break
        os.close(descriptor)
    new = status.st_size == 0
    if new:
        _write(descriptor, binding, record)
    elif _read(descriptor) != binding:
        os.close(descriptor)
        raise SessionExists(cause="the session was begun with another worker, cwd or session_owner")
    flags = [*flags, f"--session-id={agent_id}"]
    return Lease(session_id, agent_id, flags, descriptor, record if new else None)


def _lock(descriptor: int) -> None:
    """Takes the lock, and waits for a run that has told its end."""
    deadline = time.monotonic() + _PATIENCE_S
    try:
        while not _is_free(descriptor):
            if os.pread(descriptor, 1, 0) != _ENDING or time.monotonic() > deadline:
                raise SessionBusy
            time.sleep(_POLL_S)
        if os.pread(descriptor, 1, 0) == _ENDING:
            os.pwrite(descriptor, _AT_WORK, 0)
    except OSError as error:
        os.close(descriptor)
        raise StateUnavailable(cause=f"a session could not be locked: {error.strerror}") from error
    except SessionBusy:
        os.close(descriptor)
        raise


def _await_end(descriptor: int) -> None:
    """Waits for a run that has told its end, but not for long."""
    deadline = time.monotonic() + _PATIENCE_S
    with suppress(OSError):
        while (
            os.pread(descriptor, 1, 0) == _ENDING
            and not _is_free(descriptor, fcntl.LOCK_SH)
            and time.monotonic() < deadline
        ):
            time.sleep(_POLL_S)


def _is_free(descriptor: int, lock: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, lock | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(descriptor: int) -> Binding | None:
    """What the session is bound to; None for a record that its writer was killed over."""
    try:
        return Binding(**json.loads(os.pread(descriptor, _MAX_RECORD, 0)))
    except (OSError, ValueError, TypeError):
        return None


def _write(descriptor: int, binding: Binding, record: Path) -> None:
    try:
        data = _AT_WORK + json.dumps(asdict(binding)).encode() + b"\n"
        if os.pwrite(descriptor, data, 0) != len(data):
            raise OSError(None, "the disk is full")
    except OSError as error:
        record.unlink(missing_ok=True)
        os.close(descriptor)
        raise StateUnavailable(cause=f"{record}: {error.strerror}") from error
