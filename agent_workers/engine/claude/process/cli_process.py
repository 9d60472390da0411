"""The process of the CLI, and what it means where it cannot be started."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from agent_workers.engine.process.guarded_process import GuardedProcess
from agent_workers.errors import CliCrashed, CliMissing

if TYPE_CHECKING:
    from collections.abc import Sequence

_NOT_EXECUTABLE = frozenset({errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR, errno.EPERM})
_NOT_STARTED = "The Claude CLI could not be started. Try again later."


class CliProcess(GuardedProcess):
    """A running CLI.

    On SIGTERM it also ends its tools' shells, which run in sessions of their own. Once its stdin is closed and it is
    idle, it saves the session and ends.

    Args:
        argv: The command, its program an absolute path.
        options: Those of ``GuardedProcess``.

    Raises:
        CliMissing: It cannot be executed.
        CliCrashed: It could not be started now: the host has no processes, descriptors or memory left.
    """

    def __init__(self, argv: Sequence[str], **options: Any) -> None:
        try:
            super().__init__(argv, **options)
        except OSError as error:
            missing = error.errno in _NOT_EXECUTABLE
            cause = f"{argv[0]}: {error.strerror}"
            raise (CliMissing(cause=cause) if missing else CliCrashed(_NOT_STARTED, cause=cause)) from error
