"""The engine runner of a program that may never need one: it is made, and its imports paid for, for the first run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio

from agent_workers.client.engine import AsyncEngineRunner

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self


class EngineOnDemand:
    """Entered before the first run; when it is left, all its runs end.

    Args:
        policy: Path of the host's policy, instead of the one that ``AGENT_WORKERS_POLICY`` names.
        simulate: Name of a scenario, or empty for the usual one: a simulator answers instead of the API.
        connections: Calls of the API that may be under way at once.
    """

    def __init__(self, *, policy: str | None, simulate: str | None, connections: int) -> None:
        self._make: Callable[[str], AsyncEngineRunner] = partial(
            AsyncEngineRunner, policy=policy, simulate=simulate, connections=connections
        )
        self._first: AsyncEngineRunner | None = None
        self._runners: dict[str, AsyncEngineRunner] = {}

    def runner(self, worker: str) -> AsyncEngineRunner:
        """Returns the runner of a worker.

        Raises:
            ImportError: The extra ``messages`` is not installed.
        """
        if self._first is None:
            self._first = self._make(worker)
            self._first.host.open(self._tasks)
        if worker not in self._runners:
            self._runners[worker] = self._first.for_worker(worker)
        return self._runners[worker]

    async def __aenter__(self) -> Self:
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._first:
            await self._first.host.close()
        self._tasks.cancel_scope.cancel()
        await self._tasks.__aexit__(None, None, None)  # the caller's error is its own, and in no group
