"""Runs that are recorded while they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from agent_workers.client import AsyncRun, Event, Result, Run
    from agent_workers.records.recording import Recording


class _Handle:
    """What can be asked of a run, and told to it; see ``agent_workers.client.Run``."""

    def __init__(self, run: Run | AsyncRun, recording: Recording) -> None:
        self._handle = run
        self._recording = recording

    @property
    def id(self) -> str:
        """The run's id."""
        return self._handle.id

    @property
    def line(self) -> bytes:
        """The line of the event that was given out last."""
        return self._handle.line

    @property
    def exit_status(self) -> int | None:
        """The worker's exit status; None while it is not there yet."""
        return self._handle.exit_status

    @property
    def stderr(self) -> str:
        """The end of what the worker has written to stderr."""
        return self._handle.stderr

    def send(self, message: Mapping[str, Any]) -> str | None:
        """Sends a control message; returns its ``id``, or None where the run is over."""
        name = self._handle.send(message)
        if name is not None:
            self._recording.told({**message, "id": name})
        return name

    def abort(self) -> str | None:
        """Asks the worker to stop."""
        return self._handle.abort()

    def stop(self) -> None:
        """Stops the worker by SIGTERM."""
        self._handle.stop()


class RecordedRun(_Handle):
    """A run that is recorded while it is read."""

    def __init__(self, run: Run, recording: Recording) -> None:
        super().__init__(run, recording)
        self._run = run

    def __iter__(self) -> Iterator[Event]:
        try:
            for event in self._run:
                self._recording.take(event, self._run.line)
                yield event
        finally:
            self._recording.end("")

    def result(self) -> Result:
        """Reads the run to its end, as far as it was not, and returns what it came to; see ``Run.result``."""
        for _ in self._unread():
            pass
        return self._run.result()

    def close(self) -> None:
        """Stops the worker, if it still runs, and waits until it has gone."""
        self._run.close()
        self._recording.end("")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _unread(self) -> Iterator[Event]:
        return iter(()) if self._run.has_begun else iter(self)


class AsyncRecordedRun(_Handle):
    """The same for an event loop."""

    def __init__(self, run: AsyncRun, recording: Recording) -> None:
        super().__init__(run, recording)
        self._run = run

    async def __aiter__(self) -> AsyncIterator[Event]:
        async for event in self._run:
            self._recording.take(event, self._run.line)
            yield event

    async def result(self) -> Result:
        """Reads the run to its end, as far as it was not, and returns what it came to; see ``Run.result``."""
        if not self._run.has_begun:
            async for _ in self:
                pass
        return await self._run.result()

    async def __aenter__(self) -> Self:
        await self._run.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._run.__aexit__(kind, error, trace)
        finally:
            self._recording.end("")
