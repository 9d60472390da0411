"""What a run needs of an engine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
    from types import TracebackType
    from typing import Self

    from agent_workers.protocol.v1.control import AgentMessage
    from agent_workers.protocol.v1.events import Ack, Body, Usage

    Tell = Callable[[Body], Awaitable[bool]]


class Progress:
    """What is known of a run before its end; used by the idle watchdog and by an early terminal event.

    Attributes:
        at: ``time.monotonic()`` of the agent's last sign of progress.
        session_id: The session, once the agent has named it.
        saved: Whether the session can be resumed, as far as is known: false where the disk was too full for it.
        usage: Tokens so far.
        cost_usd: Cost so far, in US dollars, where the agent has reported it.
        waiting: How many answers the run waits for from the application or the MCP servers, not from the model.
        calls: Ids of the tool calls in progress.
    """

    def __init__(self, *, waiting: int = 0) -> None:  # no dataclass, see ``Lease``
        self.at = time.monotonic()
        self.session_id: str | None = None
        self.saved = True
        self.usage: Usage | None = None
        self.cost_usd: float | None = None
        self.waiting = waiting
        self.calls: set[str] = set()

    @property
    def busy(self) -> bool:
        """Whether a silent agent waits for something other than the model: an answer, or a tool."""
        return bool(self.waiting or self.calls)

    def touch(self) -> None:
        """Notes that the agent has just made progress."""
        self.at = time.monotonic()


class WorkerDefaults(NamedTuple):
    """What the worker adds to a request.

    Attributes:
        name: The worker's name. Its sessions are bound to it, and the working directory of its chats, below the state
            directory, bears it.
        system_prompt: Used where the request brings none.
        max_turns: Used where the request brings none; None leaves it to the engine.
    """

    name: str
    system_prompt: str
    max_turns: int | None = None


class Engine(Protocol):
    """One run of an agent. It is entered once, read to its end or stopped, and then left."""

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

    def listen(self, tell: Tell) -> None:
        """Registers the callback that sends the agent's questions, beside its events.

        Args:
            tell: Sends one event; says whether that was still possible.
        """
        ...

    def answer(self, message: AgentMessage) -> Ack | None:
        """Passes on what is for the agent; returns the ``ack``, which says where nothing has changed.

        None where the engine sends it later, as an event: the fate of a ``steer`` is not known at once.
        """
        ...

    async def catch_up(self) -> None:
        """Notes in ``progress`` which session the agent has named by now; called at a stop, before ``unsettled``."""
        ...

    def unsettled(self) -> Sequence[Body]:
        """Returns the events that close open questions and say what became of the session.

        They are sent before the terminal event.

        After it ``progress.saved`` is final.
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
