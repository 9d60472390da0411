"""A run in this process: what it is told, what it tells, and what is logged of it."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import anyio

from agent_workers.ending import failed, stopped
from agent_workers.protocol.v1.control import Abort, InvalidControl, parse_control
from agent_workers.protocol.v1.events import Ack, Notice
from agent_workers.protocol.v1.request import echo_of
from agent_workers.run import Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.client.engine_process import EngineProcess
    from agent_workers.engine.messages.engine import MessagesEngine
    from agent_workers.errors import WorkerError
    from agent_workers.protocol.v1.body import Body
    from agent_workers.protocol.v1.request import Request
    from agent_workers.wire import Encoder

logger = logging.getLogger("agent_workers")

current: ContextVar[EngineProcess | None] = ContextVar("run", default=None)
"""The run that a task is of."""


async def driven(
    process: EngineProcess, encoder: Encoder, request: Request, engine: MessagesEngine, began: float
) -> int:
    """Runs an engine to its end, and returns the exit status.

    Args:
        process: Whose run it is.
        encoder: An encoder that has already encoded the ``start`` event.
        request: What the run is asked to do.
        engine: The engine that does it.
        began: ``time.monotonic()`` of the ``start`` event.
    """
    run = Run(request, engine, encoder, _Sink(process), began=began)
    process.stop = run.stop
    async with anyio.create_task_group() as tasks:

        async def listen() -> None:
            process.obey(lambda line: _obey(line, run, engine, tasks.start_soon))

        tasks.start_soon(listen)  # it takes its turn when the engine is up
        if process.stopped:
            run.stop(process.stopped)
        try:
            status = await run.drive()
        except anyio.get_cancelled_exc_class():
            _abandon(process, encoder, request, engine)
            raise
        process.obey(None)
        tasks.cancel_scope.cancel()
    return status


def _abandon(process: EngineProcess, encoder: Encoder, request: Request, engine: MessagesEngine) -> None:
    """Tells the end of a run whose runner was left."""
    if encoder.terminal is None:
        for body in engine.unsettled():
            tell(process, encoder, body, 0)
        end = stopped("parent_gone", engine.progress).model_copy(update=echo_of(request))
        tell(process, encoder, end if engine.progress.saved else end.model_copy(update={"session_id": None}), 0)


class _Sink:
    def __init__(self, process: EngineProcess) -> None:
        self._process = process

    async def send(self, line: bytes) -> None:
        await self._process.write(line)


def _obey(line: bytes, run: Run, engine: MessagesEngine, spawn: Any) -> None:
    try:
        message = parse_control(line)
    except InvalidControl as invalid:
        if invalid.id is None:
            words = f"A line on stdin changed nothing: {invalid.message}"
            spawn(run.reply, Notice(level="warning", code=invalid.code, message=words))
        else:
            spawn(run.reply, Ack(id=invalid.id, ok=False, code=invalid.code))
        return
    if isinstance(message, Abort):
        spawn(_abort, run, Ack(id=message.id, ok=True))
    elif ack := engine.answer(message):
        spawn(run.reply, ack)


async def _abort(run: Run, ack: Ack) -> None:
    await run.reply(ack)
    run.stop("client")


def tell(process: EngineProcess, encoder: Encoder, body: Body, status: int) -> int:
    """Tells an event, and returns the status."""
    for line in encoder.lines(body.to_wire()):
        process.send_now(line)
    return status


def fail_run(process: EngineProcess, encoder: Encoder, error: WorkerError, echo: dict[str, Any]) -> int:
    """Ends a run that has no engine, or whose engine has failed beyond its own ways; returns the exit status."""
    process.write_stderr(f"{error.code}: {error.cause or error.message}")
    if encoder.terminal is None:
        tell(process, encoder, failed(error).model_copy(update=echo), error.exit_status)
    return error.exit_status


@contextmanager
def told_to_runs() -> Iterator[None]:
    """Has what is logged of a run stand in its ``stderr``, as that of a worker's process does."""
    handler = _ToRuns()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _ToRuns(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR and (process := current.get()):
            process.write_stderr(record.getMessage())
