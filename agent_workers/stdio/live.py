"""The part of a worker's life that an event loop drives: the run, and what may end it from outside."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
from anyio.lowlevel import checkpoint

from agent_workers.protocol.v1.events import Ack, Notice
from agent_workers.run import Run
from agent_workers.stdio.signals import hold_stop, stop_held, stop_signals
from agent_workers.stdio.stderr import StderrHandler, say
from agent_workers.stdio.stdin import MAX_REQUEST

if TYPE_CHECKING:
    import signal
    from collections.abc import AsyncIterator

    from agent_workers.engine.base import Engine
    from agent_workers.protocol.v1.control import InvalidControl
    from agent_workers.protocol.v1.request import AnyRequest
    from agent_workers.stdio.event_writer import EventWriter
    from agent_workers.stdio.person import Interview, Person
    from agent_workers.stdio.source import Source
    from agent_workers.stdio.stdin import Stdin
    from agent_workers.stdio.stdout import Output

logger = logging.getLogger("agent_workers")

_MAX_REASON = 1000
# Python's own 5 ms would be added to each event while the SDK is being imported in a thread.
_SWITCH_S = 0.0005
_TELL_S = 0.1  # what the end may take to be told before a second signal kills


@dataclass(frozen=True)
class Launched:
    """A run whose agent has been started.

    Attributes:
        request: The admitted request.
        engine: Started for it.
        began: ``time.monotonic()`` of the ``start`` event.
        signals: Stop signals that came before the event loop.
    """

    request: AnyRequest
    engine: Engine
    began: float
    signals: list[int]


def live(launched: Launched, writer: EventWriter, source: Source, person: Person | None) -> int:
    """Drives the run to its end; returns the exit status.

    Args:
        launched: The run.
        writer: Has written the ``start`` event.
        source: Brings control messages, and what runs beside the run.
        person: Answers the questions about tool calls.
    """
    _log_to_stderr(writer.name)
    sys.setswitchinterval(_SWITCH_S)

    async def main() -> int:
        engine = launched.engine
        interview = _interview(person, engine) if person else None
        on_question = interview.note if interview else None
        began = launched.began
        run = Run(launched.request, engine, writer.encoder, writer.out, began=began, on_question=on_question)
        async with anyio.create_task_group() as tasks:
            await tasks.start(_watch_signals, run, engine, launched.signals, person)
            tasks.start_soon(_watch_output, run, writer.out)
            if control := source.control:
                caught_up = anyio.Event()
                tasks.start_soon(_obey, run, engine, control, caught_up)
                await caught_up.wait()
            if interview:
                tasks.start_soon(interview.hold)
                tasks.start_soon(interview.overhear, run.reply)
            if companion := source.companion:
                tasks.start_soon(companion)
            status = await run.drive()
            hold_stop()
            tasks.cancel_scope.cancel()
        return status

    return anyio.run(main)


def _interview(person: Person, engine: Engine) -> Interview:
    from agent_workers.stdio.person import Interview  # only where somebody is asked

    return Interview(person, engine)


async def _watch_signals(
    run: Run,
    engine: Engine,
    earlier: list[int],
    person: Person | None,
    *,
    task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    with ExitStack() as receiver:
        with stop_held():  # or one signal reaches both handlers, the earlier one and this
            received = receiver.enter_context(anyio.open_signal_receiver(*stop_signals()))
        task_status.started()
        if not earlier:
            await anext(received)
        run.stop("signal")
        with anyio.move_on_after(_TELL_S):
            async with anyio.create_task_group() as telling:
                telling.start_soon(_ignore, received)
                await run.told.wait()
                telling.cancel_scope.cancel()
        number = await anext(received)
        engine.kill()
        if person:
            person.let_go()
        os._exit(128 + number)


async def _ignore(received: AsyncIterator[signal.Signals]) -> None:
    """Drops what comes with the first signal, which often comes twice: from the terminal and from the parent."""
    async for _ in received:
        pass


async def _watch_output(run: Run, out: Output) -> None:
    await out.wait_closed()
    run.lose_output()


async def _obey(
    run: Run,
    engine: Engine,
    stdin: Stdin,
    caught_up: anyio.Event,
) -> None:
    """Obeys the caller; sets ``caught_up`` when it has obeyed what came before the event loop."""
    from agent_workers.protocol.v1.control import Abort, InvalidControl, parse_control  # rarely needed

    async for line in stdin.control_lines(on_wait=caught_up.set):
        await checkpoint()  # a flood of lines must not keep deadlines and stop signals waiting
        if line is None:
            await _answer(run, _nothing_changed("line_too_long", f"it is longer than {MAX_REQUEST} bytes"))
            continue
        try:
            message = parse_control(line)
        except InvalidControl as invalid:
            await _answer(run, _complaint(invalid))
            continue
        if isinstance(message, Abort):
            await _answer(run, Ack(id=message.id, ok=True))
            run.stop("client")
        elif ack := engine.answer(message):
            await _answer(run, ack)
    run.stop("parent_gone")
    caught_up.set()


async def _answer(run: Run, body: Ack | Notice) -> None:
    """Sends without waiting for the reader, or one who is stuck could not even stop the run."""
    with anyio.move_on_after(0):  # what the reader does not take now goes with the next line
        await run.reply(body)


def _complaint(invalid: InvalidControl) -> Ack | Notice:
    if invalid.id is not None:
        logger.warning("a control message changed nothing: %s", ascii(invalid.message[:_MAX_REASON])[1:-1])
        return Ack(id=invalid.id, ok=False, code=invalid.code)
    return _nothing_changed(invalid.code, invalid.message)


def _nothing_changed(code: str, reason: str) -> Notice:
    return Notice(level="warning", code=code, message=f"A line on stdin changed nothing: {reason}")


def _log_to_stderr(name: str) -> None:
    asked = os.environ.get("AGENT_WORKERS_LOG") or "error"
    level = logging.getLevelNamesMapping().get(asked.upper())
    if level is None:
        say(f"{name}: AGENT_WORKERS_LOG is {asked!a}: must be error, warning, info or debug; error is used")
    logging.basicConfig(format=f"{name}: %(message)s", level=level or logging.ERROR, handlers=[StderrHandler()])
    logging.getLogger("claude_agent_sdk").setLevel(logging.CRITICAL)  # its errors are the engine's to report
