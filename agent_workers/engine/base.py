"""What the life of a run asks of an engine."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from types import TracebackType
    from typing import Self

    from agent_workers.protocol.v1.events import Body, Usage


@dataclass(slots=True)
class Progress:
    """What is known of a run before its end, for the idle watchdog and for an early terminal event.

    Attributes:
        at: ``time.monotonic()`` of the agent's last sign of progress.
        session_id: The session, once the agent has said it.
        usage: Tokens so far.
        cost_usd: Cost so far, in US dollars, where the agent has said it.
    """

    at: float = field(default_factory=time.monotonic)
    session_id: str | None = None
    usage: Usage | None = None
    cost_usd: float | None = None

    def touch(self) -> None:
        """Notes that the agent has just made progress."""
        self.at = time.monotonic()


class Engine(Protocol):
    """One run of an agent. Entered once, read to its end or stopped, then left."""

    progress: Progress

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def events(self) -> AsyncGenerator[Body]:
        """Yields event bodies, a terminal one last.

        Raises:
            WorkerError: The run failed.
        """
        ...

    async def stop(self, *, interrupt: bool) -> None:
        """Ends every process of the run within 5 s.

        Args:
            interrupt: Whether the agent is at work and should be told to stop first.
        """
        ...

    def kill(self) -> None:
        """Ends every process of the run at once."""
        ...
