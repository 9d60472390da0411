"""What is recorded of an attempt: nothing, unless a database is named."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from agent_workers.protocol.v1.job import Job
    from agent_workers.records import Recorder, Recording

logger = logging.getLogger("agent_workers.fleet")

_PATIENCE_S = 5.0


class AttemptRecord:
    """The record of one attempt; nowhere, where there is no recording.

    Args:
        recording: Takes its events.
    """

    def __init__(self, recording: Recording | None = None) -> None:
        self._recording = recording

    def take(self, event: Mapping[str, Any], data: bytes) -> None:
        """Takes an event of the run, and its line."""
        if self._recording:
            self._recording.take(event, data)

    def told(self, message: Mapping[str, Any]) -> None:
        """Takes what the run is told."""
        if self._recording:
            self._recording.told(message)

    def end(self, event: Mapping[str, Any], data: bytes, *, is_final: bool) -> None:
        """Takes the event that the attempt ends with.

        Args:
            event: The event.
            data: Its line.
            is_final: Whether the run ends with it, too.
        """
        if self._recording:
            if is_final:
                self._recording.take(event, data)
            self._recording.leave()

    def leave(self) -> None:
        """Leaves the run to another machine."""
        if self._recording:
            self._recording.leave()


class Records:
    """Records runs; nowhere, where no database is named.

    Args:
        recorder: Records them.
    """

    def __init__(self, recorder: Recorder | None = None) -> None:
        self._recorder = recorder

    def begin(self, job: Job, run: str, attempt: int) -> AttemptRecord:
        """Writes down what an attempt of a run is asked."""
        if self._recorder is None:
            return AttemptRecord()
        request = {**job.request, "attempt": attempt} if attempt > 1 else job.request
        known = {"worker": job.worker, "tenant": job.fields.tenant}
        return AttemptRecord(self._recorder.begin(request, run=run, **known))

    def lose(self, run: str, became: str) -> None:
        """Notes that a run has ended with the process that had it."""
        if self._recorder:
            self._recorder.lose(run, "" if became == "aborted" else "worker_lost")

    async def close(self) -> None:
        """Waits, not for long, until all is in the database."""
        recorder = self._recorder
        if recorder and not await anyio.to_thread.run_sync(lambda: recorder.close(_PATIENCE_S)):
            logger.warning("records wait on disk; agent-workers records flush writes them")


def open_records(*, wanted: bool) -> Records:
    """Returns what records runs in the database that the variable names; nowhere, where it names none.

    Args:
        wanted: Whether the variable is there at all.

    Raises:
        ValueError: The extra is missing, the address is none, or the settings or the state directory do not do.
    """
    if not wanted:
        return Records()
    try:
        from agent_workers.errors import WorkerError  # most fleets record nothing
        from agent_workers.protocol.toml_file import Unreadable
        from agent_workers.records import Recorder, read_settings
        from agent_workers.records.settings import address_of
    except ModuleNotFoundError as missing:
        raise ValueError(
            f"records need their extra ({missing.name} is missing): pip install 'claude-agent-workers[records]'"
        ) from None
    try:
        if address_of(os.environ) is None:
            return Records()  # a Laravel application's switch
        return Records(Recorder(settings=read_settings()))
    except (Unreadable, WorkerError) as error:
        raise ValueError(f"records: {error}") from error
