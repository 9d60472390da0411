"""A worker process that waits for its request: with an agent that was started ahead, or kept since its last answer."""

from __future__ import annotations

import os
import select
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from agent_workers.admission import policy_file
from agent_workers.engine.base import WorkerDefaults
from agent_workers.engine.claude.live import LiveAgent
from agent_workers.engine.host.credentials import forget_secrets
from agent_workers.engine.host.environment import Environment
from agent_workers.engine.process.prctl import hide_from_others
from agent_workers.errors import WorkerError, defect
from agent_workers.protocol.v1.engines import MESSAGES
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.stdio.ahead.memory import memory_of
from agent_workers.stdio.ahead.order import Assignment, Channel, Order
from agent_workers.stdio.ahead.pooled_run import PooledRun
from agent_workers.stdio.signals import on_stop
from agent_workers.stdio.stderr import say
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    import socket
    from pathlib import Path
    from typing import NoReturn

    from agent_workers.engine.claude.ahead import WaitingAgent


_LOOK_MS = 2000  # where nothing wakes it, another run that wants the session waits for 6 s


class WaitingWorker:
    """One worker process of the pool, from its fork to its end.

    Args:
        end: Its end of the connection with the pool.
        order: What it is started for.
    """

    def __init__(self, end: socket.socket, order: Order) -> None:
        hide_from_others()
        self._channel = Channel(end)
        self._order = order
        self._environ = dict(os.environ)
        forget_secrets(os.environ)
        self._agent: WaitingAgent | LiveAgent | None = None
        self._policies: list[tuple[int, ...] | None] = []

    def serve(self) -> NoReturn:
        """Waits for a request, serves it and ends the process."""
        on_stop(self._leave)
        try:
            if self._order.worker:
                self._agent = self._started(self._order.worker)
        except Exception as error:  # noqa: BLE001 the pool must hear of it, and another process takes the place
            self._channel.tell(state="failed", why=_told(error))
            self._leave(1)
        self._channel.tell(state="idle", memory=self._memory())
        try:
            status = self._serve_all()
        except Exception as error:  # noqa: BLE001 the client sees a lost worker
            say(f"agent-workers pool: a worker is at fault: {defect(error)}")
            status = 1
        self._leave(status)

    def _serve_all(self) -> int:
        """Serves one run, or those of one conversation; returns the exit status of the last one."""
        status = 0
        while message := self._next():
            if isinstance(message, Assignment):
                run = PooledRun(self._channel, self._order, self._environ, self._agent_for_next())
                self._agent, self._policies = None, self._policy_marks()
                try:
                    status = run.serve(message)
                finally:
                    self._agent = run.agent
                on_stop(self._leave)
                if not isinstance(self._agent, LiveAgent):
                    return status
                self._channel.tell(memory=self._memory())
            elif message.get("end"):
                return 0
            else:
                self._channel.tell(memory=self._memory())
        return status

    def _agent_for_next(self) -> WaitingAgent | LiveAgent | None:
        """Returns the agent that waits; ends one that was kept under other policies."""
        agent = self._agent
        if isinstance(agent, LiveAgent) and self._policies != self._policy_marks():
            agent.end()
            return None
        return agent

    def _policy_marks(self) -> list[tuple[int, ...] | None]:
        named = (policy_file(self._order.policy, self._environ), policy_file(self._order.own_policy, {}))
        return [_mark_of(path) for path in named if path]

    def _next(self) -> Assignment | dict[str, Any] | None:
        """Waits for a message; returns None where the pool has gone, or the agent cannot be used any more."""
        poll = select.poll()
        poll.register(self._channel.fileno(), select.POLLIN)
        # One that was started ahead says nothing that could be read now: only its end counts.
        interest = select.POLLIN if isinstance(self._agent, LiveAgent) else 0
        for descriptor in self._agent.descriptors if self._agent else ():
            poll.register(descriptor, interest)
        while True:
            ready = dict(poll.poll(_LOOK_MS if isinstance(self._agent, LiveAgent) else None))
            if self._channel.fileno() in ready:
                return self._channel.take()
            if self._agent and not self._agent.drain():
                if not isinstance(self._agent, LiveAgent):
                    self._channel.tell(state="failed", why=self._agent.fault)
                return None

    def _started(self, name: str) -> WaitingAgent | None:
        """Starts the agent; none where the policy has such requests done without one."""
        from agent_workers.engine.claude.ahead import WaitingAgent

        worker = WORKERS[name]
        request = PooledRun.stand_in(worker, self._order, self._environ)
        if request.engine == MESSAGES:
            return None
        defaults = WorkerDefaults(worker.name, worker.system_prompt, worker.max_turns)
        return WaitingAgent(request, Environment(self._environ), defaults)

    def _memory(self) -> int:
        return memory_of([os.getpid(), *([self._agent.process.pid] if self._agent else ())])

    def _leave(self, status: int = 0) -> NoReturn:
        with suppress(Exception):
            if self._agent:
                self._agent.end()
        os._exit(status)


def _mark_of(file: Path) -> tuple[int, ...] | None:
    """Returns what changes with a file."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _told(error: Exception) -> str:
    if isinstance(error, WorkerError):
        return f"{error.code}: {error.cause or error.message}"
    return f"{error.code}: {error.told()}" if isinstance(error, RequestProblems) else defect(error)
