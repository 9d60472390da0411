"""A worker's process from its first instruction to its exit status."""

from __future__ import annotations

import os
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from agent_workers import __version__
from agent_workers.admission import accept, admit, max_request_bytes, policy_file
from agent_workers.engine.claude import Environment, Sandbox, WorkerDefaults, start_agent
from agent_workers.engine.claude.launch.installation import sdk_version
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
from agent_workers.protocol.document import parse_json
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.protocol.v1.progress import Start
from agent_workers.stdio.signals import leave_on_stop, on_stop, remember_stop, stop_held
from agent_workers.stdio.stderr import say
from agent_workers.stdio.stdin import MAX_REQUEST, Stdin
from agent_workers.stdio.stdout import Stdout
from agent_workers.wire import Encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import NoReturn

    from agent_workers.engine.base import Engine
    from agent_workers.policy.tables import SandboxTable
    from agent_workers.protocol.v1.body import Body
    from agent_workers.protocol.v1.request import Request
    from agent_workers.stdio.person import Person
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
    person: Person | None = None,
    policy: str | None = None,
    simulation: Callable[[], Simulation] | None = None,
    output: Callable[[Stdout], Output] | None = None,
) -> NoReturn:
    """Serves one request from stdin and ends the process with the contract's exit status.

    Args:
        worker: What to run.
        control: Whether stdin goes on with control messages after the request, and is the lifeline.
        person: Answers the questions about tool calls, where there is somebody.
        policy: Path of the host's policy, instead of the one that ``AGENT_WORKERS_POLICY`` names.
        simulation: Begins what answers instead of the API, where given.
        output: Renders the lines; by default they are written as they are.
    """

    def process(out: Output) -> Process:
        begun = simulation() if simulation else None
        return Process(worker, out, control=control, simulation=begun, person=person, policy=policy)

    run_process(process, output)


def run_process(process: Callable[[Output], Process], output: Callable[[Stdout], Output] | None = None) -> NoReturn:
    """Runs a process on the claimed stdout and ends with its exit status.

    Args:
        process: Made with what takes its events.
        output: Renders the lines; by default they are written as they are.
    """
    status = EXIT_OUTPUT_CLOSED
    with suppress(OutputClosed):
        stdout = Stdout.claim()
        status = process(output(stdout) if output else stdout).run()
    _leave(status)


def refuse_command_line(worker: Worker, fault: str) -> NoReturn:
    """Ends the process with the ``error`` event and the exit status of a refused command line."""
    status = EXIT_OUTPUT_CLOSED
    with suppress(OutputClosed):
        error = InvalidRequest(f"The command line is not valid. {fault}", cause=f"{fault} Try {worker.name} --help.")
        status = Process(worker, Stdout.claim(), control=True, simulation=None).fail(error)
    _leave(status)


def _leave(status: int) -> NoReturn:
    with suppress(OSError):
        if sys.stderr:  # where fd 2 was closed, there is none
            sys.stderr.flush()
    os._exit(status)  # the interpreter's own way out costs a third of a second, and everything is written


class Process:
    """One request's life outside the event loop: from reading it to the exit status.

    Args:
        worker: What to run.
        out: Takes the events.
        control: Whether stdin goes on with control messages.
        simulation: Answers instead of the API, where given.
        person: Answers the questions about tool calls, where there is somebody.
        policy: Path of the host's policy, instead of the one that ``AGENT_WORKERS_POLICY`` names.
    """

    def __init__(
        self,
        worker: Worker,
        out: Output,
        *,
        control: bool,
        simulation: Simulation | None,
        person: Person | None = None,
        policy: str | None = None,
    ) -> None:
        self._worker = worker
        self._out = out
        self._control = control
        self._simulation = simulation
        self._person = person
        self._policy = policy
        self._sandbox: SandboxTable | None = None
        self._stdin = Stdin(worker.name)
        self.encoder = Encoder(str(uuid.uuid4()))
        self._metadata: dict[str, Any] | None = None

    def run(self) -> int:
        """Runs to the terminal event; returns the exit status."""
        engine: Engine | None = None
        try:
            on_stop(self._stop_now)
            request = self.accept()
            began = time.monotonic()
            if first := self.start(request):
                self.send(first)
            on_stop(self._tell_stop)
            engine = self.launch(request)
            signals = remember_stop()
            if self.encoder.terminal:
                engine.kill()
                return EXIT_ABORTED
            return self._live(request, engine, began, signals)
        except RequestProblems as problems:
            return self._refuse(problems)
        except WorkerError as error:
            return self.fail(error)
        except OutputClosed:
            return EXIT_OUTPUT_CLOSED
        except Exception as error:  # noqa: BLE001 whatever it is, the stream gets its terminal event
            status = self.fail(InternalError(cause=defect(error)))
            if engine:
                engine.kill()
            return status

    def accept(self) -> Request:
        """Reads the request.

        Raises:
            RequestProblems: It is refused.
            PolicyDenied: The host's policy does not allow it.
        """
        policy = policy_file(self._policy)
        self._stdin.max_request = max_request_bytes(policy) or MAX_REQUEST
        data = self._stdin.read_first_line() if self._control else self._stdin.read_document()
        request = accept(self._worker, parse_json(data), control=self._control, interactive=self._person is not None)
        if request.run:
            self.encoder.run = request.run
        self._metadata = request.metadata
        admission = admit(self._worker, request, policy)
        self._sandbox = admission.sandbox
        return admission.request

    def start(self, request: Request) -> Body | None:
        """The first event of the accepted request; None where the terminal one is the only one."""
        return Start(
            worker=self._worker.name,
            worker_version=__version__,
            sdk_version=sdk_version(),
            simulated=self._host().is_simulated(),
            metadata=request.metadata,
        )

    def _host(self) -> Environment:
        return Environment(os.environ, self._simulation.base_url if self._simulation else None)

    def launch(self, request: Request) -> Engine:
        """Starts what does the request's work.

        Raises:
            WorkerError: It cannot be started.
        """
        worker, sandbox = self._worker, self._sandbox
        return start_agent(
            request,
            self._host(),
            WorkerDefaults(worker.name, worker.system_prompt, worker.max_turns),
            sandbox=Sandbox(sandbox.allowed_domains, sandbox.deny_read) if sandbox else None,
        )

    def _live(self, request: Request, engine: Engine, began: float, signals: list[int]) -> int:
        from agent_workers.stdio.live import live  # noqa: PLC0415 brings the event loop: the agent boots meanwhile

        companion = self._simulation.serve if self._simulation else None
        stdin = self._stdin if self._control else None
        return live(
            request,
            engine,
            self.encoder,
            self._out,
            began=began,
            stdin=stdin,
            signals=signals,
            companion=companion,
            name=self._worker.name,
            person=self._person,
        )

    def _refuse(self, problems: RequestProblems) -> int:
        if problems.run:
            self.encoder.run = problems.run
        refused = UnsupportedVersion if problems.code == UnsupportedVersion.code else InvalidRequest
        status = self.fail(refused(cause=problems.told(), details=problems.problems))
        self._stdin.drain(patience_s=0.05 if self._control else 1)  # under --control no end of stdin is to be expected
        return status

    def _stop_now(self) -> NoReturn:
        self._tell_stop()
        _leave(EXIT_ABORTED)

    def _tell_stop(self) -> None:
        """Tells of the stop from a signal handler, where nothing can be imported: an import may be under way."""
        metadata = {"metadata": self._metadata} if self._metadata else {}
        with suppress(OutputClosed), stop_held():
            if not self.encoder.terminal:
                for line in self.encoder.lines({"type": "aborted", "reason": "signal", **metadata}):
                    self._out.send_now(line)

    def fail(self, error: WorkerError) -> int:
        """Writes the ``error`` event; returns the exit status."""
        from agent_workers.ending import exit_status, failed  # noqa: PLC0415 not on the way to the first words

        say(f"{self._worker.name}: {error.code}: {error.cause or error.message}")
        if told := self.encoder.terminal:  # the exit status must not contradict it
            return exit_status(told)
        leave_on_stop(error.exit_status)
        self.send(failed(error).model_copy(update={"metadata": self._metadata}))
        return error.exit_status

    def send(self, body: Body) -> None:
        """Writes one event, before or without an event loop."""
        with stop_held():
            for line in self.encoder.lines(body.to_wire()):
                self._out.send_now(line)
