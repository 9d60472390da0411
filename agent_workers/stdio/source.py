"""Where a run comes from: a request on stdin and the agent that works on it, or whatever stands in for them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from agent_workers import __version__
from agent_workers.admission import accept, admit, following, max_request_bytes, policy_file
from agent_workers.engine.base import WorkerDefaults
from agent_workers.engine.claude.launch.installation import sdk_version
from agent_workers.engine.host.credentials import forget_secrets, is_oauth_token, with_own_credential
from agent_workers.engine.host.environment import Environment
from agent_workers.engine.process.prctl import hide_from_others
from agent_workers.errors import WorkerError
from agent_workers.protocol.document import parse_json
from agent_workers.protocol.v1.engines import AGENT, MESSAGES
from agent_workers.protocol.v1.kind import is_tool_run
from agent_workers.protocol.v1.problem import Problem, RequestProblems
from agent_workers.protocol.v1.progress import Start
from agent_workers.protocol.v1.request import told_at_start
from agent_workers.stdio.stdin import MAX_REQUEST, Stdin

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from pathlib import Path

    from agent_workers.engine.base import Engine
    from agent_workers.engine.claude import Sandbox
    from agent_workers.engine.claude.ahead import WaitingAgent
    from agent_workers.engine.claude.engine import ClaudeEngine
    from agent_workers.engine.claude.live import LiveAgent
    from agent_workers.engine.process.guarded_process import GuardedProcess
    from agent_workers.policy.tables import SandboxTable
    from agent_workers.protocol.v1.body import Body
    from agent_workers.protocol.v1.request import AnyRequest, Request
    from agent_workers.stdio.settings import Settings, Simulation
    from agent_workers.workers.base import Worker

_OAUTH = "must be agent with a token of a login (sk-ant-oat…): the engine messages needs an API key"


class Source(Protocol):
    """Gives a run its request, its first event and its engine, in this order.

    Attributes:
        name: The program's, before each line on stderr.
    """

    name: str

    def read(self) -> AnyRequest:
        """Reads the request.

        Raises:
            RequestProblems: It is not valid.
            WorkerError: There is none.
        """
        ...

    def admit(self, request: AnyRequest) -> AnyRequest:
        """Returns the request as this host lets it run.

        Raises:
            RequestProblems: It names what this host does not have.
            PolicyDenied: The host's policy does not allow it.
        """
        ...

    def start(self, request: AnyRequest) -> Body | None:
        """Returns the first event of the admitted request; None where the terminal one is the only one."""
        ...

    def launch(self, request: AnyRequest) -> Engine:
        """Starts what does the request's work.

        Raises:
            WorkerError: It cannot be started.
        """
        ...

    def stop_launch(self) -> None:
        """Has what ``launch`` has started until now ended, without waiting: a signal handler calls it."""
        ...

    @property
    def control(self) -> Stdin | None:
        """What brings control messages during the run; None where nothing does."""
        ...

    @property
    def companion(self) -> Callable[[], Coroutine[object, object, None]] | None:
        """What runs beside the run until its end."""
        ...

    def drain(self) -> None:
        """Reads on for a moment after a refusal, so that a caller still writing meets no broken pipe."""
        ...

    def close(self, *, at_once: bool = False) -> None:
        """Ends what was started for a run that has not begun.

        Args:
            at_once: Whether to wait for nothing: a signal handler calls it.
        """
        ...

    def exit_status(self, status: int) -> int:
        """Returns the process's exit status for that of the run."""
        ...


class RequestSource:
    """A request on stdin, and the agent that works on it.

    Args:
        worker: Whose request it is.
        settings: What the command line has set.
        stdin: Brings the request.
        environ: The host's variables.
        early: The agent that was started before the request has been checked.

    Attributes:
        keeps: Whether an agent may stay for the next run of its session.
        own_policy: The file of a policy that holds besides the host's; None for none.
    """

    keeps = False
    own_policy: Path | None = None

    def __init__(
        self,
        worker: Worker,
        settings: Settings,
        stdin: Stdin | None = None,
        environ: Mapping[str, str] = os.environ,
        early: WaitingAgent | None = None,
    ) -> None:
        self.name = worker.name
        self._worker = worker
        self._settings = settings
        self._stdin = stdin or Stdin(worker.name)
        self._environ = environ
        self._early = early
        self._policy = policy_file(settings.policy, environ)
        self._simulation: Simulation | None = None
        self._sandbox: SandboxTable | None = None
        self._process: GuardedProcess | None = None
        self._stopped = False
        self._has_oauth_token = False
        self._has_own_credential = False

    def read(self) -> AnyRequest:
        """Reads stdin, to its end or with ``--control`` its first line."""
        settings = self._settings
        self._simulation = settings.simulation() if settings.simulation else None
        if settings.credential:
            self._use_alone(settings.credential)
        self._stdin.max_request = max_request_bytes(self._policy, self.own_policy) or MAX_REQUEST
        data = self._stdin.read_first_line() if settings.control else self._stdin.read_document()
        interactive = settings.person is not None
        return accept(self._worker, parse_json(data), control=settings.control, interactive=interactive)

    def admit(self, request: AnyRequest) -> AnyRequest:
        """Holds the request against the policy and the host."""
        environment = self._environment()
        followed = following(request, environment)
        is_own = self._settings.credential is not None
        admission = admit(
            self._worker,
            followed,
            self._policy,
            environment.environ,
            besides=self.own_policy,
            own_credential=is_own,
        )
        if self._has_oauth_token:
            self._refuse_messages(admission.request)
        self._sandbox = admission.sandbox
        return _with_tool_output(admission.request) if self._settings.tool_output else admission.request

    def start(self, request: AnyRequest) -> Body:
        """Returns the ``start`` event."""
        start = Start(
            worker=self.name,
            worker_version=__version__,
            sdk_version=sdk_version(),
            simulated=self._environment().is_simulated(),
            engine=None if is_tool_run(request) else request.engine or AGENT,
        )
        return start.model_copy(update=told_at_start(request))

    def launch(self, request: AnyRequest) -> Engine:
        """Starts the agent."""
        worker, sandbox = self._worker, self._sandbox
        if not is_tool_run(request) and request.skill_use and self._environment().is_simulated():
            from agent_workers.workers.skill import with_example  # a model gets no example

            request = with_example(request)
        if is_tool_run(request):
            from agent_workers.engine.mcp import start_tool  # no agent needs it

            return start_tool(request, self._environment(), worker.name, started=self._keep)
        defaults = WorkerDefaults(worker.name, worker.system_prompt, worker.max_turns)
        if request.engine == MESSAGES:
            from agent_workers.engine.messages.start import start_messages  # no agent needs it

            return start_messages(request, self._environment(), defaults)
        from agent_workers.engine.claude import Sandbox  # likewise

        return self.start_agent(
            request, defaults, Sandbox(sandbox.allowed_domains, sandbox.deny_read) if sandbox else None
        )

    def start_agent(self, request: Request, defaults: WorkerDefaults, sandbox: Sandbox | None) -> ClaudeEngine:
        """Has the agent that was started early do the request, where it fits; else starts one.

        Raises:
            WorkerError: It cannot be started.
        """
        early = self._early
        if early and early.misfit(request, self._environment()) is None:
            self._early = None
            return self._handed_over(early, request)
        self.close()
        return self._started_agent(request, defaults, sandbox)

    def _handed_over(self, agent: WaitingAgent | LiveAgent, request: Request) -> ClaudeEngine:
        self._keep(agent.process)
        return agent.hand_over(request, self._environment(), keep=self.keeps)

    def _started_agent(self, request: Request, defaults: WorkerDefaults, sandbox: Sandbox | None) -> ClaudeEngine:
        from agent_workers.engine.claude import start_agent  # what needs no agent does not pay for it

        return start_agent(
            request,
            self._environment(),
            defaults,
            sandbox=sandbox,
            booted=lambda cli: self._keep(cli.process),
            keep=self.keeps,
        )

    def _use_alone(self, read: Callable[[Stdin], str]) -> None:
        """Has the run use the key that its caller hands over, and no other that is known here."""
        hide_from_others()  # before it is in this process's memory
        try:
            key = read(self._stdin)
        except WorkerError:
            self.drain()
            raise
        if not self._simulation:
            self._has_oauth_token = is_oauth_token(key)
            self._has_own_credential = True
            self._environ = with_own_credential(self._environ, key)
            forget_secrets(os.environ)

    @staticmethod
    def _refuse_messages(request: AnyRequest) -> None:
        if not is_tool_run(request) and request.engine == MESSAGES:
            raise RequestProblems([Problem(pointer="/engine", message=_OAUTH)], run=request.run)

    def _keep(self, process: GuardedProcess) -> None:
        self._process = process
        if self._stopped:  # in the midst of the boot
            process.begin_kill()

    def stop_launch(self) -> None:
        """Has the CLI ended: the imports that come behind it take their time, and it would ask the model meanwhile."""
        self._stopped = True
        if self._process:
            self._process.begin_kill()

    @property
    def control(self) -> Stdin | None:
        """Stdin with ``--control``."""
        return self._stdin if self._settings.control else None

    @property
    def companion(self) -> Callable[[], Coroutine[object, object, None]] | None:
        """The simulation, where there is one."""
        return self._simulation.serve if self._simulation else None

    def drain(self) -> None:
        """Reads the rest of stdin; under ``--control`` no end of it is to be expected."""
        self._stdin.drain(patience_s=0.05 if self._settings.control else 1)

    def close(self, *, at_once: bool = False) -> None:
        """Ends the agent that was started early, where no run has it."""
        early, self._early = self._early, None
        if early and at_once:
            early.drop()
        elif early:
            early.end()

    def exit_status(self, status: int) -> int:
        """Returns the run's own."""
        return status

    def _environment(self) -> Environment:
        base_url = self._simulation.base_url if self._simulation else None
        return Environment(self._environ, base_url, has_own_credential=self._has_own_credential)


def _with_tool_output(request: AnyRequest) -> AnyRequest:
    """Returns the request with the output of tools asked for, unless it says itself whether it wants that."""
    if "tool_output" in request.stream.model_fields_set:
        return request
    return request.model_copy(update={"stream": request.stream.model_copy(update={"tool_output": True})})
