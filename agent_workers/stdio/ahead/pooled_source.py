"""The request of a client of the pool, and the agent that works on it: kept, started ahead, or started now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agent_workers.engine.claude.live import LiveAgent
from agent_workers.errors import SessionNotFound
from agent_workers.protocol.v1.engines import MESSAGES
from agent_workers.protocol.v1.kind import is_tool_run
from agent_workers.protocol.v1.progress import Start
from agent_workers.stdio.source import RequestSource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent_workers.engine.base import WorkerDefaults
    from agent_workers.engine.claude import Sandbox
    from agent_workers.engine.claude.ahead import WaitingAgent
    from agent_workers.engine.claude.engine import ClaudeEngine
    from agent_workers.protocol.v1.body import Body
    from agent_workers.protocol.v1.request import AnyRequest, Request
    from agent_workers.stdio.ahead.pooled_stdin import PooledStdin
    from agent_workers.stdio.settings import Settings
    from agent_workers.workers.base import Worker

COLD, WARM, LIVE = "cold", "warm", "live"


class PooledSource(RequestSource):
    """A request that has come to the pool.

    Args:
        worker: Whose request it is.
        settings: What the client has set.
        stdin: Its connection.
        environ: The pool's variables.
        own_policy: Path of the pool's own policy, which holds besides the host's.
        agent: The agent that waits, if any: one that was started ahead, or one that was kept.
        keep: Whether the agent may stay for the next message of its conversation.
        why: Why the pool has none for it.
        told: Called with the run's way and why it is cold, once that is known.

    Attributes:
        way: What serves the run: ``cold``, ``warm`` or ``live``.
        agent: The agent that waits, until it is handed the request or ended.
        kept: The agent that stays after the run; None where none does.
    """

    def __init__(
        self,
        worker: Worker,
        settings: Settings,
        stdin: PooledStdin,
        environ: Mapping[str, str],
        *,
        own_policy: str | None,
        agent: WaitingAgent | LiveAgent | None,
        keep: bool,
        why: str,
        told: Callable[[str, str | None], None],
    ) -> None:
        super().__init__(worker, settings, stdin, environ)
        self._connection = stdin
        self.own_policy = Path(own_policy) if own_policy else None
        self.keeps = keep and settings.credential is None  # the next message may come from somebody else
        self._why = why
        self._told = told
        self._started: tuple[ClaudeEngine, Request, WorkerDefaults] | None = None
        self._is_strangers = False
        self.agent = agent
        self.way = COLD

    def start(self, request: AnyRequest) -> Body:
        """Returns the ``start`` event, with the way."""
        start = super().start(request)
        self.way, why = self._way_of(request)
        self._told(self.way, why)
        return start.model_copy(update={"warm": self.way}) if isinstance(start, Start) else start

    def start_agent(self, request: Request, defaults: WorkerDefaults, sandbox: Sandbox | None) -> ClaudeEngine:
        """Hands the request to the agent that waits for it, or starts one."""
        if self._is_strangers:
            raise SessionNotFound(cause="the session was begun with another owner")
        agent, self.agent = self.agent, None
        engine = self._handed_over(agent, request) if agent else self._started_agent(request, defaults, sandbox)
        self._started = engine, request, defaults
        return engine

    @property
    def kept(self) -> LiveAgent | None:
        """The agent that stays after the run."""
        if self._started is None:
            return None
        engine, request, defaults = self._started
        return LiveAgent(engine.kept, request, defaults) if engine.kept else None

    @property
    def control(self) -> PooledStdin:
        """The connection: also where no control messages may come, its end says that the client is gone."""
        return self._connection

    def drain(self) -> None:
        """Reads on for a moment after a refusal."""
        self._connection.drain(patience_s=0.05)

    def _way_of(self, request: AnyRequest) -> tuple[str, str | None]:
        why = self._misfit(request)
        if self._is_strangers:  # what he is told is what he would be told in any case, and costs the owner nothing
            return COLD, why
        if why is None:
            return LIVE if isinstance(self.agent, LiveAgent) else WARM, None
        if self.agent:
            self.agent.end()
            self.agent = None
        return COLD, why

    def _misfit(self, request: AnyRequest) -> str | None:
        """Returns what keeps the request from the agent that waits; None where it fits."""
        if is_tool_run(request) or request.engine == MESSAGES:
            return "engine"
        if self.agent is None:
            return self._why
        if self._settings.credential:
            return "credential"
        if isinstance(self.agent, LiveAgent) and not self.agent.is_of(request.session_owner):
            self._is_strangers = True
            return "session"
        return self.agent.misfit(request, self._environment())
