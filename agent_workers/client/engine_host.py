"""What the runs of one process share: one pool of connections, one view of the API's limits, and how each is served."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import anyio

from agent_workers import __version__
from agent_workers.admission import accept, admit, max_request_bytes, policy_file
from agent_workers.chain import is_on
from agent_workers.client.engine_access import EngineAccess
from agent_workers.client.engine_driving import current, driven, fail_run, tell, told_to_runs
from agent_workers.client.engine_process import EngineProcess
from agent_workers.ending import stopped
from agent_workers.engine.base import WorkerDefaults
from agent_workers.engine.claude.launch.installation import sdk_version
from agent_workers.engine.messages.models import load_models
from agent_workers.engine.messages.start import first_body, start_messages
from agent_workers.errors import (
    EXIT_ABORTED,
    InternalError,
    InvalidRequest,
    UnsupportedVersion,
    WorkerError,
    defect,
)
from agent_workers.protocol.document import parse_json
from agent_workers.protocol.v1.engines import MESSAGES
from agent_workers.protocol.v1.events import Start
from agent_workers.protocol.v1.kind import is_tool_run
from agent_workers.protocol.v1.problem import Problem, RequestProblems, refuse
from agent_workers.protocol.v1.request import echo_of, told_at_start
from agent_workers.wire import Encoder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from types import TracebackType
    from typing import Self

    from anyio.abc import TaskGroup

    from agent_workers.engine.messages.api import Api
    from agent_workers.engine.messages.engine import MessagesEngine
    from agent_workers.engine.messages.plan import Given
    from agent_workers.protocol.v1.request import Request
    from agent_workers.workers.base import Worker

_NO_AGENT = "must be messages: an agent needs a process of its own"


class EngineHost:
    """Serves runs of the engine messages in the event loop of this process. It is entered before the first one.

    Args:
        policy: Path of the host's policy, instead of the one that ``AGENT_WORKERS_POLICY`` names.
        environ: The variables of the host.
        simulate: Name of a scenario that a simulator plays in place of the API; None for the API.
        connections: Calls that may be under way at once.
    """

    def __init__(
        self, *, policy: str | None, environ: Mapping[str, str] | None, simulate: str | None, connections: int
    ) -> None:
        self._environ = dict(os.environ if environ is None else environ)
        self._policy = policy_file(policy, self._environ)
        self._access = EngineAccess(self._environ, simulate, connections, self._spawn)
        self._open = ExitStack()
        self._is_open = False

    async def __aenter__(self) -> Self:
        self._own_tasks = anyio.create_task_group()
        self.open(await self._own_tasks.__aenter__())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_open = False
        self._own_tasks.cancel_scope.cancel()
        try:
            await self._own_tasks.__aexit__(None, None, None)  # the caller's error is its own, and in no group
        finally:
            await self.close()

    def open(self, tasks: TaskGroup) -> None:
        """Begins to serve, for who does not enter it.

        Args:
            tasks: Where the runs are; it is cancelled after ``close``.
        """
        self._loop = asyncio.get_running_loop()
        self._tasks = tasks
        self._open.enter_context(told_to_runs())
        self._is_open = True

    async def close(self) -> None:
        """Closes the connections."""
        self._is_open = False
        await self._access.close()
        self._open.close()

    def _spawn(self, *task: Any) -> None:
        self._tasks.start_soon(*task)

    def process(self, worker: Worker, given: Given | None = None, lane: str | None = None) -> EngineProcess:
        """Returns a run that begins with its first line, the request.

        Args:
            worker: Whose request it is.
            given: The events of the first message, where it has been answered before.
            lane: ``done.lane``.

        Raises:
            RuntimeError: It is not entered, or was left.
        """
        if not self._is_open:
            raise RuntimeError("the runner is not entered: begin its runs in a `with` block of it")
        worker = worker.on_host(self._environ)

        async def serve(process: EngineProcess, line: bytes) -> int:
            current.set(process)
            return await self._serve(worker, process, line, given, lane)

        return EngineProcess(serve, self._spawn, self._loop)

    def admitted(self, worker: Worker, document: Any, *, named: bool = True) -> Request:
        """Returns the request that the document stands for, as the host lets it run.

        Args:
            worker: Whose request it is.
            document: The request.
            named: Whether a document that names no engine is one for this.

        Raises:
            RequestProblems: It is not valid, or not one of this engine.
            PolicyDenied: The host's policy does not allow it.
        """
        if named and isinstance(document, dict):
            document = {**document, "engine": MESSAGES if document.get("engine") is None else document["engine"]}
        worker = worker.on_host(self._environ)
        request = admit(worker, accept(worker, document), self._policy, self._environ).request
        if is_tool_run(request) or request.engine != MESSAGES:
            raise RequestProblems([Problem(pointer="/engine", message=_NO_AGENT)], run=request.run)
        return request

    def first_body(self, worker: Worker, request: Request) -> dict[str, Any] | None:
        """Returns the body of the first call of an admitted request; None where its budget is too small."""
        return first_body(self._with_example(worker, request), self._access.environment(worker), _defaults(worker))

    @asynccontextmanager
    async def place(self, worker: Worker, document: Mapping[str, Any]) -> AsyncIterator[None]:
        """Waits for the first call of a run that is begun within the block; see ``AsyncEngineRunner.place``."""
        async with AsyncExitStack() as stack:
            with suppress(WorkerError):  # which the run tells
                api = await self._access.api(worker)
                models = load_models(self._access.environment(worker).environ)
                named = worker.on_host(self._environ).model_of(document) or models.default
                await stack.enter_async_context(api.pace.place(models.full_name(named)))
            yield

    async def api(self) -> Api:
        """Returns the open connections to the API; of a worker's runs where a simulator answers each worker apart.

        Raises:
            AuthError: There is no credential.
        """
        return await self._access.api()

    async def _serve(
        self, worker: Worker, process: EngineProcess, line: bytes, given: Given | None, lane: str | None
    ) -> int:
        encoder = Encoder("", chained=is_on(self._environ))
        echo: dict[str, Any] = {}
        try:
            self._check_size(line)
            document = parse_json(line, one_line=True)
            encoder.run = str(document.get("run", "")) if isinstance(document, dict) else ""
            if worker.takes_long(document):
                request = await anyio.to_thread.run_sync(self.admitted, worker, document)
            else:
                request = self.admitted(worker, document)
            echo = echo_of(request)
            if process.stopped:
                return tell(process, encoder, stopped(process.stopped).model_copy(update=echo), EXIT_ABORTED)
            began = time.monotonic()
            tell(process, encoder, self._start(worker, request), 0)
            engine = await self._engine(worker, request, given, lane)
            return await driven(process, encoder, request, engine, began)
        except RequestProblems as problems:
            refused = UnsupportedVersion if problems.code == UnsupportedVersion.code else InvalidRequest
            return fail_run(process, encoder, refused(cause=problems.told(), details=problems.problems), echo)
        except WorkerError as error:
            return fail_run(process, encoder, error, echo)
        except anyio.get_cancelled_exc_class():
            if encoder.terminal is None:
                tell(process, encoder, stopped("parent_gone").model_copy(update=echo), EXIT_ABORTED)
            raise
        except Exception as error:  # noqa: BLE001 whatever it is, the run gets its terminal event
            return fail_run(process, encoder, InternalError(cause=defect(error)), echo)

    def _check_size(self, line: bytes) -> None:
        most = max_request_bytes(self._policy)
        if most is not None and len(line.removesuffix(b"\n")) > most:
            refuse(f"the request is larger than {most} bytes")

    async def _engine(self, worker: Worker, request: Request, given: Given | None, lane: str | None) -> MessagesEngine:
        environment, api = self._access.environment(worker), await self._access.api(worker)
        request, defaults = self._with_example(worker, request), _defaults(worker)

        def start() -> MessagesEngine:
            return start_messages(request, environment, defaults, api=api, given=given, lane=lane)

        if request.session is None:
            return start()
        return await anyio.to_thread.run_sync(start)  # a session that ends elsewhere is waited for

    def _with_example(self, worker: Worker, request: Request) -> Request:
        if not request.skill_use or not self._access.environment(worker).is_simulated():
            return request
        from agent_workers.workers.skill import with_example  # a model gets no example

        return with_example(request)

    def _start(self, worker: Worker, request: Request) -> Start:
        start = Start(
            worker=worker.name,
            worker_version=__version__,
            sdk_version=sdk_version(),
            simulated=self._access.environment(worker).is_simulated(),
            engine=MESSAGES,
        )
        return start.model_copy(update=told_at_start(request))


def _defaults(worker: Worker) -> WorkerDefaults:
    return WorkerDefaults(worker.name, worker.system_prompt, worker.max_turns)
