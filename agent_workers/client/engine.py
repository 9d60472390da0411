"""Runs requests of the engine messages inside this process: hundreds at once, where each agent needs its own.

They leave no process behind, so they may share one, with one pool of connections and one view of the API's limits.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_workers.client.aio import AsyncRun
from agent_workers.client.conversation import Conversation
from agent_workers.client.engine_needs import check_needs, check_options
from agent_workers.client.runner import Run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType
    from typing import Never, Self

    from agent_workers.client.engine_host import EngineHost
    from agent_workers.client.engine_process import EngineProcess
    from agent_workers.client.result import Result
    from agent_workers.engine.messages.plan import Given

_GRACE_S = 8.0
_OVERTIME_S = 30.0
_CONNECTIONS = 256


class AsyncEngineRunner:
    """Runs each request in this event loop, of asyncio. Enter it first; when it is left, all its runs end.

    Args:
        worker: Name of the worker, such as ``agent-chat`` or ``agent-skill``.
        policy: Path of the host's policy, instead of the one that ``AGENT_WORKERS_POLICY`` names.
        env: The variables by which it finds the API, its credential and its directories; this process's where it is
            None. Proxies, certificates and skills are found by this process's own in any case.
        simulate: Name of a scenario, or empty for the usual one: a simulator answers instead of the API.
        connections: Calls of the API that may be under way at once.

    Attributes:
        worker: The worker's name.
        host: What its runs share with those of other workers in this process.

    Raises:
        ImportError: The extra ``messages`` is not installed, or the extra ``simulator`` for a simulator.
        TypeError: It got options as a command line has them.
        ValueError: There is no such worker or scenario.
    """

    def __init__(
        self,
        worker: str,
        *options: Never,
        policy: str | None = None,
        env: Mapping[str, str] | None = None,
        simulate: str | None = None,
        connections: int = _CONNECTIONS,
    ) -> None:
        check_options(options)
        check_needs(worker, simulate)
        from agent_workers.client.engine_host import EngineHost  # brings the engine, which processes do without

        self.worker = worker
        self.host = EngineHost(policy=policy, environ=env, simulate=simulate, connections=connections)

    def for_worker(self, worker: str) -> AsyncEngineRunner:
        """Returns the runner of another worker, which shares the connections of this one and is not entered itself."""
        other = copy(self)
        other.worker = worker
        return other

    async def run(self, request: Mapping[str, Any]) -> Result:
        """Waits for the answer."""
        async with self.stream(request) as run:
            return await run.result()

    def stream(self, request: Mapping[str, Any], *, given: Given | None = None, lane: str | None = None) -> AsyncRun:
        """Returns a run for an ``async with`` block.

        Args:
            request: The request, by the contract's names.
            given: The events of the model's first message, where it has been answered before.
            lane: ``done.lane``.
        """
        return AsyncRun(Conversation(self.command(given, lane), request))

    def place(self, request: Mapping[str, Any]) -> AbstractAsyncContextManager[None]:
        """Waits until the API's limits let a run of this request make its first call; it is begun within the block.

        Without it the run waits itself, which counts as its own time.
        """
        from agent_workers.workers import WORKERS  # brings the worker's module

        return self.host.place(WORKERS[self.worker], request)

    def command(self, given: Given | None = None, lane: str | None = None) -> EngineCommand:
        """Returns how a run is started; the arguments are those of ``stream``."""
        return EngineCommand(self.host, self.worker, given, lane)

    async def __aenter__(self) -> Self:
        await self.host.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.host.__aexit__(kind, error, trace)


@dataclass(frozen=True, slots=True)
class EngineCommand:
    """How a run in this process is started; see ``Command``."""

    host: EngineHost
    worker: str
    given: Given | None = None
    lane: str | None = None
    grace_s: float = _GRACE_S
    overtime_s: float = _OVERTIME_S

    def start(self) -> EngineProcess:
        """Returns the run; it begins with its first line."""
        from agent_workers.workers import WORKERS  # brings the worker's module

        return self.host.process(WORKERS[self.worker], self.given, self.lane)


class EngineRunner:
    """The same for a program that waits: an event loop of its own runs the requests, in a thread.

    >>> with EngineRunner("agent-chat") as runner:  # doctest: +SKIP
    ...     runner.run({"prompt": "Hello"}).text
    'Hello!'

    The arguments are those of ``AsyncEngineRunner``: ``EngineRunner("agent-chat", simulate="")`` is answered by a
    simulator, as ``--simulate`` has it.
    """

    def __init__(self, worker: str, *options: Never, **named: Any) -> None:
        self._inner = AsyncEngineRunner(worker, *options, **named)

    def run(self, request: Mapping[str, Any]) -> Result:
        """Waits for the answer; see ``Runner``."""
        return self.stream(request).result()

    def stream(self, request: Mapping[str, Any]) -> Run:
        """Returns a run that starts when it is first iterated; see ``Runner``."""
        return Run(Conversation(self._inner.command(), request))

    def __enter__(self) -> Self:
        from anyio.from_thread import start_blocking_portal  # only where it is entered

        self._portal = start_blocking_portal()
        portal = self._portal.__enter__()
        self._entered = portal.wrap_async_context_manager(self._inner)
        self._entered.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._entered.__exit__(kind, error, trace)
        finally:
            self._portal.__exit__(kind, error, trace)
