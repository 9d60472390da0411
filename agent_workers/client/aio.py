"""Runs workers from an event loop, of asyncio or trio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import anyio
from anyio.lowlevel import checkpoint

from agent_workers.client.command import WorkerCommand
from agent_workers.client.conversation import Conversation
from agent_workers.client.result import Outcome, Result

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from agent_workers.client.event import Event


class AsyncRunner(Protocol):
    """Runs agents from an event loop: ``AsyncProcessRunner`` for real, ``FakeRunner.for_async`` in tests."""

    async def run(self, request: Mapping[str, Any]) -> Result:
        """Waits for the answer, as ``Runner.run`` does."""
        ...

    def stream(self, request: Mapping[str, Any]) -> AsyncRun:
        """Returns a run for an ``async with`` block, as ``Runner.stream`` does."""
        ...


class AsyncRun:
    """One run: enter it, and iterate it for its events, of which the last one is terminal, whatever happens.

    When the block is left, nothing is left running, also where it was cancelled.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._outcome = Outcome()

    @property
    def id(self) -> str:
        """The run's id, which is in each of its events."""
        return self._conversation.run

    @property
    def exit_status(self) -> int | None:
        """The worker's exit status, negative for the signal that killed it; None while it is not there yet."""
        return self._conversation.exit_status

    @property
    def stderr(self) -> str:
        """The end of what the worker has written to stderr: for operators, not for users."""
        return self._conversation.stderr

    async def __aiter__(self) -> AsyncIterator[Event]:
        if self._conversation.started:
            raise RuntimeError("a run is iterated once: ask the runner for another")
        self._conversation.begin()
        while not self._conversation.ended:
            for event in self._conversation.take():
                self._outcome.add(event)
                yield event
            if not self._conversation.ended:
                await self._wait()

    async def result(self) -> Result:
        """Reads the run to its end, as far as it was not, and returns what it came to, as ``Run.result`` does."""
        if not self._conversation.started:
            async for _ in self:
                pass
        return self._outcome.result()

    def send(self, message: Mapping[str, Any]) -> str | None:
        """Sends a control message, as ``Run.send`` does."""
        return self._conversation.send(message)

    def abort(self) -> str | None:
        """Asks the worker to stop; the run then ends with ``aborted``."""
        return self.send({"type": "abort"})

    def stop(self) -> None:
        """Stops the worker by SIGTERM, and by SIGKILL where it does not obey in time.

        Returns at once: the loop goes on to the terminal event.
        """
        self._conversation.stop()

    async def _wait(self) -> None:
        number = self._conversation.fileno()
        if number is None:
            await checkpoint()
            return
        with anyio.move_on_after(self._conversation.patience_s):
            await anyio.wait_readable(number)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._conversation.ended:
            self._conversation.stop()
        try:
            with anyio.CancelScope(shield=True):
                while not self._conversation.leave():
                    await self._wait()
        finally:
            self._conversation.close()


class AsyncProcessRunner:
    """Runs each request in a worker process of its own; the arguments are those of ``ProcessRunner``."""

    def __init__(
        self,
        worker: str,
        *arguments: str,
        cwd: Path | str | None = None,
        env: Mapping[str, str] | None = None,
        grace_s: float = 8,
        overtime_s: float = 30,
    ) -> None:
        self._command = WorkerCommand(worker, arguments, cwd, env, grace_s, overtime_s)

    async def run(self, request: Mapping[str, Any]) -> Result:
        """Waits for the answer."""
        async with self.stream(request) as run:
            return await run.result()

    def stream(self, request: Mapping[str, Any]) -> AsyncRun:
        """Returns a run for an ``async with`` block."""
        return AsyncRun(Conversation(self._command, request))
