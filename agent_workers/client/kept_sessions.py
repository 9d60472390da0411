"""The sessions whose records are on this machine."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from agent_workers.client.session_places import Places
from agent_workers.engine.host.own_file import ForeignFile, open_own
from agent_workers.engine.host.session_record import read_binding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent_workers.engine.host.environment import Environment
    from agent_workers.engine.host.session_record import Binding


class KeptSession(NamedTuple):
    """A session whose record is on this machine.

    Attributes:
        name: What its record is called, from which the application's id cannot be found.
        worker: The worker that it is bound to.
        engine: The engine that keeps it.
        owner: The request's ``session_owner``.
        cwd: The working directory of a task.
        files: The path of each file, by its name; none where nothing was said in it.
        size: Bytes of its files.
        changed_at: When one of them or its record was changed last, in seconds since 1970.
    """

    name: str
    worker: str
    engine: str
    owner: str | None
    cwd: str | None
    files: dict[str, Path]
    size: int
    changed_at: float


def kept_in(environment: Environment) -> Iterator[KeptSession]:
    """Yields each session, by the order of their names.

    Raises:
        StateUnavailable: The state directory cannot be read.
    """
    for record in sorted(environment.common_dir("sessions").iterdir()):
        with suppress(ForeignFile, FileNotFoundError, PermissionError):
            descriptor = open_own(record, os.O_RDONLY)
            try:
                binding, changed_at = read_binding(descriptor), os.fstat(descriptor).st_mtime
            finally:
                os.close(descriptor)
            if binding is not None:
                yield _kept(environment, record.name, binding, changed_at)


def _kept(environment: Environment, name: str, binding: Binding, changed_at: float) -> KeptSession:
    files = dict(Places(environment, name, binding).files())
    found = [path.stat() for path in files.values()]
    return KeptSession(
        name=name,
        worker=binding.worker,
        engine=binding.engine,
        owner=binding.owner,
        cwd=binding.cwd,
        files=files,
        size=sum(each.st_size for each in found),
        changed_at=max([changed_at, *(each.st_mtime for each in found)]),
    )
