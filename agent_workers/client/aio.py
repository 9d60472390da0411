"""Runs workers from an event loop, of asyncio or trio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import anyio

from agent_workers.client.handle import ProcessStarter, RunHandle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from types import TracebackType
    from typing import Self

    from agent_workers.client.event import Event
    from agent_workers.client.result import Result


class AsyncRunner(Protocol):
    """Runs agents from an event loop: ``AsyncProcessRunner`` for real, ``FakeRunner.for_async`` in tests."""

    async def run(self, request: Mapping[str, Any]) -> Result:
        """Waits for the answer, as ``Runner.run`` does."""
        ...

    def stream(self, request: Mapping[str, Any]) -> AsyncRun:
        """Returns a run for an ``async with`` block, as ``Runner.stream`` does."""
        ...


class AsyncRun(RunHandle):
    """One run: enter it, and iterate it for its events, of which the last one is terminal, whatever happens.

    When the block is left, nothing is left running, also where it was cancelled.
    """

    async def __aiter__(self) -> AsyncIterator[Event]:
        conversation = self._begin()
        while not conversation.ended:
            for event in conversation.take():
                self._outcome.add(event)
                yield event
            if not conversation.ended:
                await self._wait()

    async def result(self) -> Result:
        """Reads the run to its end, as far as it was not, and returns what it came to, as ``Run.result`` does."""
        if not self._conversation.started:
            async for _ in self:
                pass
        return self._outcome.result()

    async def _wait(self) -> None:
        with anyio.move_on_after(self._conversation.patience_s):
            await self._conversation.ready()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_unended()
        try:
            with anyio.CancelScope(shield=True):
                while not self._conversation.leave():
                    await self._wait()
        finally:
            self._conversation.close()


class AsyncProcessRunner(ProcessStarter):
    """Runs each request in a worker process of its own; ``ProcessStarter`` describes the arguments."""

    async def run(self, request: Mapping[str, Any], *, credential: str | None = None) -> Result:
        """Waits for the answer."""
        async with self.stream(request, credential=credential) as run:
            return await run.result()

    def stream(self, request: Mapping[str, Any], *, credential: str | None = None) -> AsyncRun:
        """Returns a run for an ``async with`` block; see ``ProcessRunner.stream`` for the credential."""
        return AsyncRun(self._conversation(request, credential))
