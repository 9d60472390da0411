"""The first half of a start: everything up to a running CLI that has been told nothing yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agent_workers.engine.claude.launch.capabilities import Capabilities, Sandbox, for_chat
from agent_workers.engine.claude.launch.command_line import command_line
from agent_workers.engine.claude.launch.installation import find_cli
from agent_workers.engine.claude.launch.run_files import refuse_image_files, write_files
from agent_workers.engine.claude.launch.transcript import Transcript
from agent_workers.engine.claude.launch.variables import variables_of
from agent_workers.engine.claude.process.cli_process import CliProcess
from agent_workers.engine.host.session_record import Binding
from agent_workers.engine.host.sessions import Lease, take_lease
from agent_workers.engine.process.leftovers import Orphans
from agent_workers.engine.process.prctl import hide_from_others
from agent_workers.engine.process.scratch import SCRATCH, make_scratch, remove_scratch
from agent_workers.protocol.v1.kind import is_task

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agent_workers.engine.base import WorkerDefaults
    from agent_workers.engine.host.environment import Environment
    from agent_workers.protocol.v1.request import Request


class BootedCli(NamedTuple):
    """A running CLI that waits for a prompt.

    Attributes:
        process: Its process.
        lease: The session that it writes.
        transcript: The session's file.
        capabilities: What it was started with.
        environ: The CLI's environment variables.
        max_turns: How often the model may be called; None for as often as it likes.
        has_pending_call: Whether it begins with a call that waits in its session, in a turn before that of the prompt.
        late_instructions: The system prompt, where the CLI is told it before the prompt; None where it has it.
        has_served: Whether it has served a run, and waits for the session's next one.
        credential: ``Variables.credential``, of its secrets.
    """

    process: CliProcess
    lease: Lease
    transcript: Transcript
    capabilities: Capabilities
    environ: Mapping[str, str]
    max_turns: int | None = None
    has_pending_call: bool = False
    late_instructions: str | None = None
    has_served: bool = False
    credential: int = 0

    def abandon(self) -> None:
        """Ends the CLI of a run that never began; the id of a new session may be used again."""
        self.process.kill()
        self.process.remove_scratch()
        self.lease.abandon()


def boot(
    request: Request,
    environment: Environment,
    worker: WorkerDefaults,
    sandbox: Sandbox | None,
    *,
    is_ahead: bool = False,
) -> BootedCli:
    """Starts a CLI that fits the request.

    Args:
        request: A valid request, granted by the host's policy.
        environment: Where the agent lives.
        worker: The worker's part.
        sandbox: The sandbox of a task's commands; None for no sandbox.
        is_ahead: Whether the request only stands for one that will come, with a system prompt of its own.

    Raises:
        WorkerError: The CLI is missing, the state directory cannot be written, the request does not fit, or the
            session belongs to somebody else or is in use.
    """
    cli = find_cli(environment.environ)
    capabilities = capabilities_of(request, environment, worker, sandbox)
    lease = take_lease(request.session, environment.common_dir("sessions"), binding_of(request, worker))
    try:
        hide_from_others()  # a command of another run may be looking at this one already
        scratch = make_scratch(environment.temporary_dir())
        try:
            instructions = None if is_ahead else request.system_prompt or worker.system_prompt
            return _started(
                cli,
                request,
                environment,
                worker,
                capabilities=capabilities,
                lease=lease,
                scratch=scratch,
                instructions=instructions,
            )
        except BaseException:
            remove_scratch(scratch)
            raise
    except BaseException:
        lease.abandon()
        raise


def _started(
    cli: Path,
    request: Request,
    environment: Environment,
    worker: WorkerDefaults,
    *,
    capabilities: Capabilities,
    lease: Lease,
    scratch: Path,
    instructions: str | None,
) -> BootedCli:
    orphans = Orphans() if capabilities.runs_code else None
    config_dir = environment.cli_dir()
    variables = variables_of(request, environment, capabilities, scratch)
    files = write_files(capabilities, instructions, variables.beside, scratch)
    if not isinstance(request.prompt, str):
        refuse_image_files(scratch, capabilities.cwd, lease.agent_id)
    earlier = Transcript(config_dir, capabilities.cwd, lease.resumes or lease.agent_id)
    _begin_where_nothing_is_left(lease, earlier)
    has_pending_call = is_task(request) and lease.resumes is not None and earlier.has_pending_call()
    process = CliProcess(
        command_line(cli, request, capabilities, lease, files=files, max_turns=worker.max_turns),
        environ=variables.environ,
        cwd=capabilities.cwd,
        scratch=scratch,
        secrets=variables.secrets,
        orphans=orphans,
        lock=lease.descriptor,
        confined=capabilities.runs_code and not capabilities.sandboxed,
    )
    transcript = Transcript(config_dir, capabilities.cwd, lease.agent_id)
    turns = request.max_turns or worker.max_turns
    return BootedCli(
        process,
        lease,
        transcript,
        capabilities,
        variables.environ,
        turns,
        has_pending_call,
        credential=variables.credential,
    )


def capabilities_of(
    request: Request, environment: Environment, worker: WorkerDefaults, sandbox: Sandbox | None
) -> Capabilities:
    """Returns what the request's agent may use besides text; the arguments and errors are those of ``boot``."""
    if not is_task(request):
        return for_chat(request, environment.common_dir("workspaces", worker.name))
    from agent_workers.engine.claude.launch.task_capabilities import for_task  # a chat does not need it

    if sandbox:
        from agent_workers.engine.claude.launch.sandbox import check_sandbox, needs_sandbox

        if needs_sandbox(request):
            check_sandbox(environment)
    private = environment.private_dirs()
    temporary = environment.temporary_dir()
    if sandbox:
        sandbox = Sandbox(sandbox.domains, [*map(str, [*private, temporary]), *sandbox.hides])
    return for_task(request, private=[*private, temporary / f"{SCRATCH}*"], sandbox=sandbox)


def binding_of(request: Request, worker: WorkerDefaults) -> Binding:
    """Returns what the request's session is bound to."""
    return Binding(worker.name, request.cwd if is_task(request) else None, request.session_owner)


def _begin_where_nothing_is_left(lease: Lease, earlier: Transcript) -> None:
    """Begins a session anew, under its id, where its only turn was refused."""
    if lease.resumes and earlier.is_blank():
        if lease.resumes == lease.agent_id:
            earlier.remove()
        lease.begin_anew()
