"""A worker's process from its first instruction to its exit status."""

from __future__ import annotations

import os
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from agent_workers import __version__
from agent_workers.engine.claude import Host, launch
from agent_workers.engine.claude.installation import sdk_version
from agent_workers.errors import (
    EXIT_ABORTED,
    EXIT_OUTPUT_CLOSED,
    InternalError,
    InvalidRequest,
    OutputClosed,
    UnsupportedVersion,
    WorkerError,
)
from agent_workers.protocol.document import parse_json
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.protocol.v1.progress import Start
from agent_workers.wire import Encoder

from .signals import StopRequested, raise_on_stop, remember_stop
from .stdin import Stdin
from .stdout import Stdout

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import NoReturn

    from agent_workers.engine.base import Engine
    from agent_workers.protocol.v1.body import Body
    from agent_workers.protocol.v1.request import Request
    from agent_workers.workers.base import Worker


@dataclass(frozen=True)
class Simulation:
    """A stand-in for the API, in the worker's own process.

    Attributes:
        base_url: Where it listens already.
        serve: Answers until cancelled.
    """

    base_url: str
    serve: Callable[[], Coroutine[object, object, None]]


class Output(Protocol):
    """What takes the lines: stdout itself, or what renders them there."""

    async def send(self, line: bytes) -> None: ...

    def send_now(self, line: bytes) -> None: ...

    async def wait_closed(self) -> None: ...


def serve(
    worker: Worker,
    *,
    control: bool = False,
    simulation: Simulation | None = None,
    output: Callable[[Stdout], Output] | None = None,
) -> NoReturn:
    """Serves one request from stdin and ends the process with the contract's exit status.

    Args:
        worker: What to run.
        control: Whether stdin goes on with control messages after the request, and is the lifeline.
        simulation: Answers instead of the API, where given.
        output: Renders the lines; by default they are written as they are.
    """
    status = EXIT_OUTPUT_CLOSED
    with suppress(OutputClosed):
        stdout = Stdout.claim()
        out = output(stdout) if output else stdout
        status = _Process(worker, out, control=control, simulation=simulation).run()
    _leave(status)


def refuse_command_line(worker: Worker, fault: str) -> NoReturn:
    """Ends the process with the ``error`` event and the exit status of a refused command line."""
    status = EXIT_OUTPUT_CLOSED
    with suppress(OutputClosed):
        error = InvalidRequest(f"The command line is not valid. {fault}", cause=f"{fault} Try {worker.name} --help.")
        status = _Process(worker, Stdout.claim(), control=True, simulation=None).fail(error)
    _leave(status)


def _leave(status: int) -> NoReturn:
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(status)  # the interpreter's own way out costs a third of a second, and everything is written


class _Process:
    def __init__(self, worker: Worker, out: Output, *, control: bool, simulation: Simulation | None) -> None:
        self._worker = worker
        self._out = out
        self._control = control
        self._simulation = simulation
        self._stdin = Stdin(worker.name)
        self._encoder = Encoder(str(uuid.uuid4()))

    def run(self) -> int:
        engine: Engine | None = None
        try:
            raise_on_stop()
            request = self._accept()
            began = time.monotonic()
            self._send(self._start(request))
            engine = self._launch(request)
            signals = remember_stop()
            return self._live(request, engine, began, signals)
        except RequestProblems as problems:
            return self._refuse(problems)
        except WorkerError as error:
            return self.fail(error)
        except StopRequested:
            return self._stop()
        except OutputClosed:
            return EXIT_OUTPUT_CLOSED
        except Exception as error:  # noqa: BLE001 whatever it is, the stream gets its terminal event
            return self.fail(InternalError(cause=_traceback(error)))

    def _accept(self) -> Request:
        data = self._stdin.read_first_line() if self._control else self._stdin.read_document()
        request = self._worker.accept(parse_json(data))
        if request.run:
            self._encoder.run = request.run
        return request

    def _start(self, request: Request) -> Start:
        return Start(
            worker=self._worker.name,
            worker_version=__version__,
            sdk_version=sdk_version(),
            simulated=self._simulation is not None,
            metadata=request.metadata,
        )

    def _launch(self, request: Request) -> Engine:
        host = Host(os.environ, self._simulation.base_url if self._simulation else None)
        worker = self._worker
        return launch(
            request, host, workspace=worker.name, system_prompt=worker.system_prompt, max_turns=worker.max_turns
        )

    def _live(self, request: Request, engine: Engine, began: float, signals: list[int]) -> int:
        from .live import live  # noqa: PLC0415 brings the event loop: the agent boots meanwhile

        companion = self._simulation.serve if self._simulation else None
        stdin = self._stdin if self._control else None
        return live(
            request, engine, self._encoder, self._out, began=began, stdin=stdin, signals=signals, companion=companion
        )

    def _refuse(self, problems: RequestProblems) -> int:
        if problems.run:
            self._encoder.run = problems.run
        refused = UnsupportedVersion if problems.code == UnsupportedVersion.code else InvalidRequest
        status = self.fail(refused(details=problems.problems))
        if not self._control:
            self._stdin.drain()
        return status

    def _stop(self) -> int:
        from agent_workers.ending import stopped  # noqa: PLC0415 not on the way to the first words

        self._send(stopped("signal"))
        return EXIT_ABORTED

    def fail(self, error: WorkerError) -> int:
        from agent_workers.ending import failed  # noqa: PLC0415 not on the way to the first words

        _say(f"{self._worker.name}: {error.code}: {error.cause or error.message}")
        self._send(failed(error))
        return error.exit_status

    def _send(self, body: Body) -> None:
        for line in self._encoder.lines(body.to_wire()):
            self._out.send_now(line)


def _say(text: str) -> None:
    with suppress(OSError):
        sys.stderr.write(f"{text}\n")


def _traceback(error: BaseException) -> str:
    import traceback  # noqa: PLC0415 for a defect only

    return "".join(traceback.format_exception(error))
