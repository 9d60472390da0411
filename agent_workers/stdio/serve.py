"""A worker's process from its first instruction to its exit status."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from agent_workers.errors import (
    EXIT_ABORTED,
    EXIT_OUTPUT_CLOSED,
    InternalError,
    InvalidRequest,
    OutputClosed,
    UnsupportedVersion,
    WorkerError,
    defect,
)
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.protocol.v1.request import echo_of
from agent_workers.stdio.early import Early
from agent_workers.stdio.event_writer import EventWriter
from agent_workers.stdio.signals import on_stop, remember_stop
from agent_workers.stdio.source import RequestSource
from agent_workers.stdio.stdin import Stdin
from agent_workers.stdio.stdout import Output, Stdout

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from agent_workers.engine.base import Engine
    from agent_workers.stdio.person import Person
    from agent_workers.stdio.settings import Settings
    from agent_workers.stdio.source import Source
    from agent_workers.workers.base import Worker

_NOTHING = Early()


def serve(worker: Worker, settings: Settings, early: Early = _NOTHING) -> NoReturn:
    """Serves one request from stdin and ends the process with the contract's exit status.

    Args:
        worker: Whose request it is.
        settings: What the command line has set.
        early: What has been done already.
    """
    stdin = Stdin(worker.name, early.read)
    serve_source(RequestSource(worker, settings, stdin, early.environ, early.agent), settings)


def serve_source(source: Source, settings: Settings) -> NoReturn:
    """Serves the run of a source on stdout and ends the process with its exit status."""
    status = EXIT_OUTPUT_CLOSED
    with suppress(OutputClosed):
        stdout = Stdout.claim()
        writer = EventWriter(source.name, settings.output(stdout) if settings.output else stdout)
        status = Invocation(source, writer, settings.person).run()
    with suppress(OSError):
        source.close()
    _leave(status)


def refuse_command_line(worker: Worker, fault: str, output: Callable[[Stdout], Output] | None = None) -> NoReturn:
    """Ends the process with the ``error`` event and the exit status of a refused command line.

    Args:
        worker: Whose command line it is.
        fault: What is wrong with it.
        output: Renders the event; by default it is written as it is.
    """
    status = EXIT_OUTPUT_CLOSED
    with suppress(OutputClosed):
        error = InvalidRequest(f"The command line is not valid. {fault}", cause=f"{fault} Try {worker.name} --help.")
        stdout = Stdout.claim()
        status = EventWriter(worker.name, output(stdout) if output else stdout).fail(error)
    _leave(status)


def _leave(status: int) -> NoReturn:
    with suppress(OSError):
        if sys.stderr:  # where fd 2 was closed, there is none
            sys.stderr.flush()
    os._exit(status)  # the interpreter's own way out costs a third of a second, and everything is written


class Invocation:
    """One call of a program: from reading the request, through its run, to the exit status.

    Args:
        source: Gives the request and what works on it.
        writer: Writes the events before the event loop.
        person: Answers the questions about tool calls, where there is somebody.
    """

    def __init__(self, source: Source, writer: EventWriter, person: Person | None) -> None:
        self._source = source
        self._writer = writer
        self._person = person

    def run(self) -> int:
        """Runs to the terminal event; returns the exit status."""
        engine: Engine | None = None
        try:
            on_stop(self._stop_now)
            request = self._source.read()
            self._writer.identify(request.run, echo_of(request))
            request = self._source.admit(request)
            began = time.monotonic()
            if first := self._source.start(request):
                self._writer.send(first)
            on_stop(self._stop_launch)
            engine = self._source.launch(request.model_copy(update={"run": self._writer.encoder.run}))
            signals = remember_stop()
            if self._writer.encoder.terminal:
                engine.kill()
                return EXIT_ABORTED
            # Brings the event loop: the agent boots meanwhile.
            from agent_workers.stdio.live import Launched, live

            status = live(Launched(request, engine, began, signals), self._writer, self._source, self._person)
            return self._source.exit_status(status)
        except RequestProblems as problems:
            return self._refuse(problems)
        except WorkerError as error:
            return self._writer.fail(error)
        except OutputClosed:
            return EXIT_OUTPUT_CLOSED
        except Exception as error:  # noqa: BLE001 whatever it is, the stream gets its terminal event
            status = self._writer.fail(InternalError(cause=defect(error)))
            if engine:
                engine.kill()
            return status

    def _refuse(self, problems: RequestProblems) -> int:
        if problems.run:
            self._writer.encoder.run = problems.run
        refused = UnsupportedVersion if problems.code == UnsupportedVersion.code else InvalidRequest
        status = self._writer.fail(refused(cause=problems.told(), details=problems.problems))
        self._source.drain()
        return status

    def _stop_launch(self) -> None:
        self._source.stop_launch()
        self._writer.abort()  # last: it waits for whoever reads

    def _stop_now(self) -> NoReturn:
        self._source.close(at_once=True)
        self._writer.abort()
        _leave(EXIT_ABORTED)
