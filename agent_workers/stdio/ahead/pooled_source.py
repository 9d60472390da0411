"""The request of a client of the pool, and the agent that works on it: kept, started ahead, or started now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agent_workers.admission import admit
from agent_workers.protocol.v1.engines import MESSAGES
from agent_workers.protocol.v1.progress import Start
from agent_workers.protocol.v1.request import is_tool_run
from agent_workers.stdio.source import RequestSource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent_workers.engine.base import Engine, WorkerDefaults
    from agent_workers.engine.claude import Sandbox
    from agent_workers.engine.claude.ahead import WaitingAgent
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
        waiting: The agent that was started ahead, if any.
        told: Called with the run's way and why it is cold, once that is known.

    Attributes:
        way: What serves the run: ``cold``, ``warm`` or ``live``.
    """

    def __init__(
        self,
        worker: Worker,
        settings: Settings,
        stdin: PooledStdin,
        environ: Mapping[str, str],
        *,
        own_policy: str | None,
        waiting: WaitingAgent | None,
        why: str,
        told: Callable[[str, str | None], None],
    ) -> None:
        super().__init__(worker, settings, stdin, environ)
        self._connection = stdin
        self._own_policy = Path(own_policy) if own_policy else None
        self._waiting = waiting
        self._why = why
        self._told = told
        self.way = COLD

    def admit(self, request: AnyRequest) -> AnyRequest:
        """Holds the request against the host's policy, and then against the pool's own."""
        admitted = super().admit(request)
        if self._own_policy is None:
            return admitted
        is_own = self._settings.credential is not None
        admission = admit(self._worker, admitted, self._own_policy, self._environ, own_credential=is_own)
        self._sandbox = admission.sandbox or self._sandbox
        return admission.request

    def start(self, request: AnyRequest) -> Body:
        """Returns the ``start`` event, with the way."""
        start = super().start(request)
        self.way, why = self._way_of(request)
        self._told(self.way, why)
        return start.model_copy(update={"warm": self.way}) if isinstance(start, Start) else start

    def start_agent(self, request: Request, defaults: WorkerDefaults, sandbox: Sandbox | None) -> Engine:
        """Hands the request to the agent that waits for it, or starts one."""
        if self.way == WARM and self._waiting:
            self._keep(self._waiting.process)
            return self._waiting.hand_over(request, self._environment())
        return super().start_agent(request, defaults, sandbox)

    @property
    def control(self) -> PooledStdin:
        """The connection: also where no control messages may come, its end says that the client is gone."""
        return self._connection

    def drain(self) -> None:
        """Reads on for a moment after a refusal."""
        self._connection.drain(patience_s=0.05)

    def _way_of(self, request: AnyRequest) -> tuple[str, str | None]:
        if is_tool_run(request) or request.engine == MESSAGES:
            why = "engine"
        elif self._waiting is None:
            why = self._why
        else:
            misfit = self._waiting.misfit(request, self._environment())
            if misfit is None:
                return WARM, None
            why = misfit
        if self._waiting:
            self._waiting.end()
            self._waiting = None
        return COLD, why
