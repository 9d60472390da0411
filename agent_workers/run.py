"""One run: numbered events, pings, deadlines, stopping, and exactly one terminal event, always last."""

from __future__ import annotations

import logging
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

import anyio
from anyio.lowlevel import checkpoint

from agent_workers.ending import exit_status, failed, stopped
from agent_workers.engine import awake
from agent_workers.errors import (
    EXIT_ABORTED,
    EXIT_OUTPUT_CLOSED,
    CliCrashed,
    IdleTimeout,
    InternalError,
    OutputClosed,
    Timeout,
    WorkerError,
    defect,
)
from agent_workers.protocol.v1.events import (
    Aborted,
    Asked,
    Body,
    Done,
    Error,
    Ping,
    Settled,
)
from agent_workers.protocol.v1.request import echo_of, skill_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_workers.ending import AbortReason
    from agent_workers.engine.base import Engine
    from agent_workers.protocol.v1.request import AnyRequest
    from agent_workers.wire import Encoder

logger = logging.getLogger("agent_workers")

_TERMINAL_WRITE_S = 5  # how long a stopped run waits for a reader that takes nothing
_REST_S = 0.02
_LAST_TURNS = 3  # of the event loop: one sees that a line is there, one reads it, one answers
_START_S = 1  # most that counts of the time before the event loop: anything longer was a pause


class Sink(Protocol):
    """The output of a front door."""

    async def send(self, line: bytes) -> None:
        """Writes one whole line. Waits while the reader is slow; when cancelled, the next call writes the rest.

        Raises:
            OutputClosed: The reader has gone.
        """
        ...


class Run:
    """A run, from its accepted request to its terminal event.

    Args:
        request: What the run is asked to do.
        engine: The engine that does it.
        encoder: An encoder that has already encoded the ``start`` event.
        sink: Where the lines go.
        began: ``time.monotonic()`` of the ``start`` event.
        on_question: Called with each question to a person once it is sent, and with its settlement.

    Attributes:
        told: Set as soon as the terminal event has been written.
    """

    def __init__(
        self,
        request: AnyRequest,
        engine: Engine,
        encoder: Encoder,
        sink: Sink,
        *,
        began: float,
        on_question: Callable[[Asked | Settled], None] | None = None,
    ) -> None:
        self._request = request
        self._engine = engine
        self._encoder = encoder
        self._sink = sink
        self._began = self._last_event = self._last_line = began
        self._rested = began
        self._scope = anyio.CancelScope()
        self._telling = anyio.CancelScope()
        self._terminal: Body | None = None
        self._exit_status = EXIT_OUTPUT_CLOSED
        self._agent_ended = False
        self._on_question = on_question
        self._late: list[Body] = []
        self._held_up = False  # whether the reader keeps the agent's next message waiting
        self.told = anyio.Event()

    async def drive(self) -> int:
        """Runs to the end, stops the agent, and returns the worker's exit status."""
        self._engine.listen(self._ask)
        async with self._engine:
            with self._scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._watch_deadline)
                    tasks.start_soon(self._watch_idleness)
                    tasks.start_soon(self._ping_in_silence)
                    await self._relay()
            with anyio.CancelScope(shield=True):
                if self._terminal and not self._agent_ended and self._engine.progress.session_id is None:
                    await self._engine.catch_up()
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._send_terminal)
                    tasks.start_soon(self._stop_agent)  # at the same time: a slow reader must not delay it
        return self._exit_status

    def stop(self, reason: AbortReason) -> None:
        """Ends the run with ``aborted``. If it has already ended, its reader gets little time to take the end."""
        if self._scope.cancel_called:
            self._telling.deadline = min(self._telling.deadline, anyio.current_time() + _TERMINAL_WRITE_S)
        self._end(stopped(reason, self._engine.progress), EXIT_ABORTED)

    def fail(self, error: WorkerError) -> None:
        """Ends the run with ``error``, unless it has already ended. The cause goes to the log."""
        self._end(failed(error, self._engine.progress), error.exit_status)
        logger.error("%s: %s", error.code, error.cause or error.message)

    def lose_output(self) -> None:
        """Ends the run without a terminal event, unless one has been sent: nobody would read it."""
        if not self.told.is_set():
            self._exit_status = EXIT_OUTPUT_CLOSED
            self._scope.cancel()

    async def send(self, body: Body) -> bool:
        """Sends one event, unless the run has ended. Returns whether it was sent."""
        if self._scope.cancel_called:
            return False
        await self._send(body)
        return True

    async def reply(self, body: Body) -> None:
        """Sends what a line on stdin is answered with; before the terminal event where the run has just ended."""
        if not await self.send(body):
            self._late.append(body)

    async def _ask(self, body: Body) -> bool:
        sent = await self.send(body)
        if sent and self._on_question and isinstance(body, Asked | Settled):
            self._on_question(body)
        return sent

    def _end(self, terminal: Body, exit_status: int) -> None:
        if not self._scope.cancel_called:
            self._terminal = terminal
            self._exit_status = exit_status
            self._scope.cancel()

    async def _relay(self) -> None:
        try:
            async with aclosing(self._engine.events()) as events:
                async for body in events:
                    if isinstance(body, Done | Error | Aborted):
                        self._agent_ended = True
                        self._end(body, exit_status(body.to_wire()))
                        return
                    self._held_up = True
                    await self._send(body)
                    self._held_up = False
        except WorkerError as error:
            self._agent_ended = not isinstance(error, CliCrashed)  # a crashed CLI may still be running
            self.fail(error)
        except Exception as error:
            logger.debug("the worker is at fault", exc_info=error)
            self.fail(InternalError(cause=defect(error)))

    async def _send(self, body: Body) -> None:
        self._note_line(body)  # a ping that becomes due meanwhile would tell of a silence that is over
        try:
            for line in self._encoder.lines(body.to_wire()):
                await self._sink.send(line)
        except OutputClosed:
            self.lose_output()
            return
        self._note_line(body)
        if time.monotonic() - self._rested > _REST_S:
            await checkpoint()  # a reader that is never slow must not keep deadlines and stop signals waiting
            self._rested = time.monotonic()

    def _note_line(self, body: Body) -> None:
        self._last_line = time.monotonic()
        if not isinstance(body, Ping):
            self._last_event = self._last_line

    async def _send_terminal(self) -> None:
        if self._terminal is None:
            return
        terminal = self._terminal.model_copy(update=echo_of(self._request))
        if isinstance(terminal, Done):
            duration_ms = round((time.monotonic() - self._began) * 1000)
            terminal = terminal.model_copy(update={"duration_ms": duration_ms, **skill_of(self._request)})
        left = self._began + self._request.limits.timeout_s - time.monotonic()
        patience = _TERMINAL_WRITE_S if isinstance(terminal, Aborted) else max(_TERMINAL_WRITE_S, left)
        self._telling.deadline = anyio.current_time() + patience
        with self._telling:  # a pager or a stopped reader may still come back for a result that was paid for
            for body in self._engine.unsettled():
                await self._send(body)
            for _ in range(_LAST_TURNS):
                await checkpoint()  # lines on stdin that have come by now are answered, too
            for body in self._late:
                await self._send(body)
            if not self._engine.progress.saved:
                terminal = terminal.model_copy(update={"session_id": None})
            elif not self._agent_ended:  # the session may have been named after the run was stopped
                terminal = terminal.model_copy(update={"session_id": self._engine.progress.session_id})
            await self._send(terminal)
            self.told.set()
        if not self.told.is_set():
            self._exit_status = EXIT_OUTPUT_CLOSED

    async def _stop_agent(self) -> None:
        try:
            await self._engine.stop(interrupt=not self._agent_ended)
        except Exception as error:  # noqa: BLE001 the terminal event is written, and the exit status must agree with it
            logger.error("the agent could not be stopped cleanly, and was killed: %s", defect(error))
            self._engine.kill()

    # Watching the clock

    async def _watch_deadline(self) -> None:
        limit = self._request.limits.timeout_s
        began_ago = time.monotonic() - self._began
        await awake.sleep(limit - min(began_ago, _START_S))
        self.fail(Timeout(cause=f"the run took longer than limits.timeout_s, {limit:g} seconds"))

    async def _watch_idleness(self) -> None:
        limit = left = self._request.limits.idle_timeout_s
        progress = self._engine.progress
        while True:
            seen = progress.at
            await awake.sleep(left)
            if self._held_up or progress.busy:
                progress.touch()  # the reader is slow, or a tool takes long: the agent is not idle
            elif progress.at == seen:
                break
            ago = time.monotonic() - progress.at
            left = limit - ago if ago < left else limit  # longer ago means a pause in between
        self.fail(IdleTimeout(cause=f"the agent made no progress for limits.idle_timeout_s, {limit:g} seconds"))

    async def _ping_in_silence(self) -> None:
        while True:
            left = self._last_line + self._request.stream.ping_s - time.monotonic()
            if left > 0:
                await awake.sleep(left)
            else:
                await self._send(Ping(idle_ms=round((time.monotonic() - self._last_event) * 1000)))
