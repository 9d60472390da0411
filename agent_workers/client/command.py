"""How a worker is started, and what a conversation needs of it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from agent_workers.client.process import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Mapping


class Process(Protocol):
    """A worker as a conversation has it; see ``WorkerProcess``."""

    @property
    def status(self) -> int | None: ...
    @property
    def stderr(self) -> str: ...
    @property
    def tells_its_end(self) -> bool: ...
    @property
    def has_output(self) -> bool: ...
    async def ready(self) -> None: ...
    def wait(self, timeout_s: float | None) -> None: ...
    def send(self, line: bytes) -> bool: ...
    def take(self) -> list[bytes]: ...
    def end_input(self) -> None: ...
    def signal(self, number: int) -> None: ...
    def wake(self) -> None: ...
    def close(self) -> None: ...


class Command(Protocol):
    """How a worker is started.

    Attributes:
        grace_s: Seconds between SIGTERM and SIGKILL.
        overtime_s: Seconds after the request's ``limits.timeout_s`` at which a worker that still runs is stopped.
    """

    @property
    def grace_s(self) -> float: ...
    @property
    def overtime_s(self) -> float: ...

    def start(self) -> Process:
        """Starts the worker.

        Raises:
            OSError: It cannot be started.
        """
        ...


@dataclass(frozen=True, slots=True)
class WorkerCommand:
    """A program on this machine; see ``ProcessRunner``."""

    worker: str
    arguments: tuple[str, ...]
    cwd: Path | str | None
    env: Mapping[str, str] | None
    grace_s: float
    overtime_s: float

    def reading_credential(self) -> WorkerCommand:
        """Returns the same for a run whose first line is its own key for the API."""
        return replace(self, arguments=(*self.arguments, "--credential-fd=0"))

    def start(self) -> WorkerProcess:
        """Starts the worker."""
        if self.cwd is not None and not Path(self.cwd).is_dir():  # else it would seem that there is no such worker
            raise NotADirectoryError(f"cwd is not a directory: {self.cwd}")
        return WorkerProcess([_program(self.worker), *self.arguments, "--control"], self.cwd, self.env)


def _program(worker: str) -> str:
    """Returns the path of a worker: of the one beside this Python before any other."""
    if "/" in worker:
        return worker
    beside = Path(sys.executable).with_name(worker)
    if os.access(beside, os.X_OK):
        return str(beside)
    return worker  # on the PATH, or nowhere
