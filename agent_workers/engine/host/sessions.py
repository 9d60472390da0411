"""Who owns a session and which run is writing it. Each session has one small file, which is also its lock."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID, uuid4, uuid5

from agent_workers.engine.host.own_file import ForeignFile, open_own
from agent_workers.engine.host.session_lock import await_end, lock, open_locked
from agent_workers.engine.host.session_record import (
    AT_WORK,
    ENDING,
    OFFERED,
    note_state,
    note_time,
    read_binding,
    state_of,
    write_record,
)
from agent_workers.errors import SessionExists, SessionNotFound, StateUnavailable

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from agent_workers.engine.host.session_record import Binding
    from agent_workers.protocol.v1.settings import NewSession, ResumeSession

_NAMESPACE = UUID("6f0b7c52-52c5-4f6e-9d0e-0f1f4b0f7a34")


class Lease:
    """A run's exclusive hold on the session that it writes.

    No other run gets the session until this one ends. The lock belongs to the open file, so it lasts until the last
    process with the descriptor has ended: the CLI may still write after the worker was killed.

    Attributes:
        session_id: The session as the application knows it.
        agent_id: The session as the CLI knows it. Only this id stands in command lines and file names, which other
            users and agents may see: no request can resume a session by it.
        descriptor: The descriptor of the locked record; None once it is released.
        new_record: The record's path, where this run created it.
        resumes: The session, as the CLI knows it, that this one continues; None for a new one.
    """

    # No dataclass: the module of that name takes 5 ms to import, and a CLI is started before.
    def __init__(
        self,
        session_id: str,
        agent_id: str,
        descriptor: int | None,
        new_record: Path | None = None,
        resumes: str | None = None,
    ) -> None:
        self.session_id = session_id
        self.agent_id = agent_id
        self.descriptor = descriptor
        self.new_record = new_record
        self.resumes = resumes

    def rename(self, message: dict[str, Any]) -> None:
        """Replaces the CLI's id of the session in a message with the application's."""
        if message.get("session_id") == self.agent_id:
            message["session_id"] = self.session_id

    def begin_anew(self) -> None:
        """Has the session begin instead of being resumed: there is nothing to resume."""
        self.resumes = None

    def bind(self, binding: Binding) -> None:
        """Binds a session that has not begun yet to something else.

        Raises:
            StateUnavailable: The record cannot be written.
        """
        if self.descriptor is None or self.new_record is None:
            raise ValueError("only a new session can be bound anew")
        descriptor = os.dup(self.descriptor)
        os.ftruncate(descriptor, 0)  # what it was bound to may have been longer
        write_record(descriptor, binding, self.new_record)
        note_time(descriptor)
        os.close(descriptor)

    def announce_end(self) -> None:
        """Announces that the run writes only its end from now on, so that the next run may wait for it."""
        if self.descriptor is not None:
            with suppress(OSError):
                note_state(self.descriptor, ENDING)

    def offer(self) -> None:
        """Offers the session to whoever asks for it, while its agent waits for the next run.

        Raises:
            OSError: The record cannot be written.
        """
        assert self.descriptor is not None
        note_state(self.descriptor, OFFERED)
        self.new_record = None  # from now on it stays, whatever becomes of a later run

    @property
    def is_wanted(self) -> bool:
        """Whether another run waits for the session that was offered, or its record is gone."""
        assert self.descriptor is not None
        return state_of(self.descriptor) != OFFERED or not os.fstat(self.descriptor).st_nlink

    def go_on(self) -> None:
        """Takes the session for the next run of the agent that waited.

        Raises:
            OSError: The record cannot be written.
        """
        assert self.descriptor is not None
        note_state(self.descriptor, AT_WORK)
        note_time(self.descriptor)

    def release(self) -> None:
        """Releases the session in this process."""
        if self.descriptor is not None:
            descriptor, self.descriptor = self.descriptor, None
            os.close(descriptor)

    def abandon(self) -> None:
        """Takes back the lease of a run that never began; the id of a new session may be used again."""
        if self.new_record:
            self.new_record.unlink(missing_ok=True)
        self.release()


def engine_of(session: ResumeSession, folder: Path) -> str | None:
    """Returns the engine that keeps a session; None where there is no such session, or none that can be read.

    Args:
        session: The request's ``session``.
        folder: The directory of the records.
    """
    try:
        descriptor = open_own(folder / agent_id_of(session.resume), os.O_RDONLY)
    except OSError:
        return None
    try:
        found = read_binding(descriptor)
    finally:
        os.close(descriptor)
    return found.engine if found else None


def take_lease(session: ResumeSession | NewSession | None, folder: Path, binding: Binding) -> Lease:
    """Takes the lease of the session that a run is going to write.

    A fork reads its original as it is, also while another run writes it, and writes a session of its own. It waits for
    a run that has announced its end: that one may still remove a refused turn.

    Args:
        session: The request's ``session``.
        folder: The existing directory of the records.
        binding: The run's binding.

    Raises:
        SessionNotFound: There is no such session, or it is bound to something else.
        SessionBusy: Another run is writing it.
        SessionExists: The id of a new session is taken.
        StateUnavailable: The record cannot be read or written.
    """
    if session is None:
        return _begin(str(uuid4()), folder, binding)
    from agent_workers.protocol.v1.settings import ResumeSession  # a new session does not wait for the models

    if not isinstance(session, ResumeSession):
        return _begin(session.id, folder, binding)
    agent_id = agent_id_of(session.resume)
    if session.fork:
        descriptor = _opened(folder / agent_id, binding)
        await_end(descriptor)
        os.close(descriptor)
        lease = _begin(str(uuid4()), folder, binding)
        lease.resumes = agent_id
        return lease
    descriptor = _opened(folder / agent_id, binding)
    lock(descriptor, binding)
    note_time(descriptor)
    return Lease(session.resume, agent_id, descriptor, resumes=agent_id)


def agent_id_of(session_id: str) -> str:
    """Returns the session's id for the CLI: a hash, from which the application's id cannot be found."""
    return str(uuid5(_NAMESPACE, session_id))


def _opened(record: Path, binding: Binding) -> int:
    try:
        descriptor = open_own(record, os.O_RDWR)
    except FileNotFoundError:
        cause = f"no run has begun this session in the state directory {record.parent.parent}"
        raise SessionNotFound(cause=cause) from None
    except PermissionError:
        raise SessionNotFound(cause=f"{record}: belongs to another user of this host") from None
    except ForeignFile as error:
        raise SessionNotFound(cause=f"{record}: {error.strerror}") from None
    except OSError as error:
        raise StateUnavailable(cause=f"{record}: {error.strerror}") from error
    if (found := read_binding(descriptor)) == binding:
        return descriptor
    os.close(descriptor)
    if found and found._replace(engine=binding.engine) == binding:
        words = f"This conversation is one of the engine {found.engine}. Continue it with engine: {found.engine}."
        raise SessionNotFound(words, cause=f"the session was begun with the engine {found.engine}")
    differing = [name for name, value in binding._asdict().items() if found is None or getattr(found, name) != value]
    raise SessionNotFound(cause=f"the session was begun with another {' and another '.join(differing)}")


def _begin(session_id: str, folder: Path, binding: Binding) -> Lease:
    """Creates the record of a new session before anything else of it exists.

    A session with the same binding that was never written is taken over; for a written one the CLI reports that the id
    is taken.
    """
    agent_id = agent_id_of(session_id)
    record = folder / agent_id
    descriptor = open_locked(record, binding)
    new = os.fstat(descriptor).st_size == 0
    if new:
        write_record(descriptor, binding, record)
    elif read_binding(descriptor) != binding:
        os.close(descriptor)
        raise SessionExists(cause="the session was begun with another worker, cwd, session_owner or engine")
    note_time(descriptor)
    return Lease(session_id, agent_id, descriptor, record if new else None)
