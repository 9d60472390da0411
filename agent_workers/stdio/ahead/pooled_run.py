"""One run of a client of the pool, in a worker process that was started before."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from agent_workers.admission import admit, policy_file
from agent_workers.engine.claude.live import LiveAgent
from agent_workers.errors import OutputClosed
from agent_workers.protocol.v1.request import Request, parse_request
from agent_workers.stdio.ahead.pooled_source import COLD, PooledSource
from agent_workers.stdio.ahead.pooled_stdin import PooledStdin
from agent_workers.stdio.ahead.watched import Watched
from agent_workers.stdio.credential import credential_of
from agent_workers.stdio.event_writer import EventWriter
from agent_workers.stdio.serve import Invocation
from agent_workers.stdio.settings import Settings
from agent_workers.stdio.stdout import Stdout
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent_workers.engine.claude.ahead import WaitingAgent
    from agent_workers.stdio.ahead.order import Assignment, Channel, Order
    from agent_workers.stdio.stdin import Stdin
    from agent_workers.workers.base import Worker


class PooledRun:
    """A run on a connection that the pool hands over.

    Args:
        channel: Leads to the pool.
        order: What the process was started for.
        environ: The pool's variables.
        agent: The agent that waits, if any.

    Attributes:
        agent: The agent that waits after the run, if any.
    """

    def __init__(
        self, channel: Channel, order: Order, environ: Mapping[str, str], agent: WaitingAgent | LiveAgent | None
    ) -> None:
        self._channel = channel
        self._order = order
        self._environ = environ
        self.agent = agent

    def serve(self, assignment: Assignment) -> int:
        """Serves the run to its last line; returns the worker's exit status."""
        self._channel.tell(state="took")
        hello = assignment.hello
        worker = _worker_of(hello)
        if self.agent and worker.name != self.agent.worker_name:
            self.agent.end()
            self.agent = None
        request, rest = _read(assignment)
        stdin = PooledStdin(worker.name, request, rest, control=bool(hello.get("control")))
        _connect(assignment.connection)
        out = Stdout.claim()
        watched = Watched(out)
        writer = EventWriter(f"{worker.name}[{os.getpid()}]", watched)
        source = self._source(worker, assignment, stdin, writer)
        try:
            status = Invocation(source, writer, None).run()
        finally:
            self.agent = source.kept or source.agent
        self._tell_end(assignment, writer, watched, status)
        with suppress(OutputClosed):
            out.send_now(b'{"pool": 1, "exit": %d}\n' % status)
        os.close(out.fileno())
        _disconnect()
        return status

    def _source(self, worker: Worker, assignment: Assignment, stdin: PooledStdin, writer: EventWriter) -> PooledSource:
        hello, order = assignment.hello, self._order

        def told(way: str, why: str | None) -> None:
            self._channel.tell(state="running", run=writer.encoder.run, way=way, why=why)

        return PooledSource(
            worker,
            Settings(control=bool(hello.get("control")), policy=order.policy, credential=_credential_of(hello)),
            stdin,
            self._environ,
            own_policy=order.own_policy,
            agent=self.agent,
            keep=order.keeps,
            why=assignment.way or COLD,
            told=told,
        )

    @staticmethod
    def stand_in(worker: Worker, order: Order, environ: Mapping[str, str]) -> Request:
        """Returns the request that stands for those that will come, as the policies grant it.

        Raises:
            RequestProblems: The pool's settings are not those of a request.
            PolicyDenied: A policy does not allow it.
        """
        request = parse_request({"prompt": "-", **order.request}, Request)
        policy, own_policy = policy_file(order.policy, environ), policy_file(order.own_policy, {})
        return admit(worker, request, policy, environ, besides=own_policy).request  # type: ignore[return-value]  # a chat

    def _tell_end(self, assignment: Assignment, writer: EventWriter, watched: Watched, status: int) -> None:
        terminal = writer.encoder.terminal or {}
        first = watched.first_delta
        self._channel.tell(
            state="ended",
            run=writer.encoder.run,
            exit=status,
            terminal=terminal.get("type"),
            code=terminal.get("code"),
            first_delta_s=None if first is None else round(first - assignment.accepted, 6),
            duration_s=round(time.monotonic() - assignment.accepted, 6),
            session=self.agent.session_id if isinstance(self.agent, LiveAgent) else None,
        )


def _credential_of(hello: Mapping[str, object]) -> Callable[[Stdin], str] | None:
    credential = hello.get("credential")
    return None if credential is None else lambda stdin: credential_of(str(credential).encode())


def _worker_of(hello: Mapping[str, object]) -> Worker:
    worker = WORKERS[str(hello["worker"])]
    skill = hello.get("skill")
    named = worker.named(str(skill)) if skill else None
    worker = named or worker
    return (worker.for_result() if hello.get("result") else None) or worker


def _read(assignment: Assignment) -> tuple[bytes, bytes]:
    with open(assignment.file, "rb") as file:  # noqa: PTH123 it has no path
        file.seek(0)
        return file.read(assignment.size), file.read()


def _connect(connection: int) -> None:
    """Puts the connection in the place of stdin and stdout."""
    os.set_blocking(connection, False)
    for number in (0, 1):
        os.dup2(connection, number)
    os.close(connection)


def _disconnect() -> None:
    """Leaves nothing of the connection: its other end then sees that it is closed."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
