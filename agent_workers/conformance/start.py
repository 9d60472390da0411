"""How a worker's process is started: in tests of the kit, not as a program of its own."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Started(Protocol):
    """A process, as far as the kit needs to know it; ``subprocess.Popen`` is one."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float) -> int: ...


class Start(Protocol):
    """How a worker's process is started."""

    def __call__(
        self, command: Sequence[str], *, stdin: int, stdout: int, stderr: int, cwd: Path | None, env: Mapping[str, str]
    ) -> Started:
        """Starts it with these descriptors, as the leader of a session.

        Raises:
            OSError: It cannot be started.
        """
        ...


def start_process(
    command: Sequence[str], *, stdin: int, stdout: int, stderr: int, cwd: Path | None, env: Mapping[str, str]
) -> Started:
    """Starts a worker as any application would."""
    return subprocess.Popen(
        command, stdin=stdin, stdout=stdout, stderr=stderr, cwd=cwd, env=env, start_new_session=True
    )
