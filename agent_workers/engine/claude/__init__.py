"""The Claude engine: the only part that knows of the SDK and its CLI."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from agent_workers.engine.claude.launch.capabilities import Equipment, for_chat
from agent_workers.engine.claude.launch.command_line import (
    agent_variables,
    command_line,
    file_contents,
    server_variables,
)
from agent_workers.engine.claude.launch.environment import CACHE, Environment, forget_secrets, take_credentials
from agent_workers.engine.claude.launch.installation import find_cli
from agent_workers.engine.claude.launch.run_files import refuse_image_files, written
from agent_workers.engine.claude.launch.sessions import Binding, Lease, take_lease
from agent_workers.engine.claude.launch.transcript import Transcript
from agent_workers.engine.claude.process.cli_input import initialize_line, prompt_line
from agent_workers.engine.claude.process.cli_process import CliProcess
from agent_workers.engine.claude.process.leftovers import Orphans
from agent_workers.engine.claude.process.prctl import hide_from_others
from agent_workers.engine.claude.process.scratch import (
    SCRATCH,
    make_scratch,
    remove_scratch,
)
from agent_workers.protocol.v1.request import is_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_workers.engine.claude.engine import ClaudeEngine
    from agent_workers.protocol.v1.request import Request

__all__ = ["Environment", "start_agent"]


def start_agent(
    request: Request,
    host: Environment,
    *,
    workspace: str,
    system_prompt: str,
    max_turns: int | None = None,
    sandbox_domains: Sequence[str] | None = None,
    sandbox_hides: Sequence[str] = (),
) -> ClaudeEngine:
    """Starts the agent of a run and hands it the prompt; imports the engine while its CLI boots.

    Args:
        request: A valid request, granted by the host's policy.
        host: Where the agent lives.
        workspace: The worker's name; its sessions are bound to it, and so is called the working directory under the
            state directory that it has for requests that bring none.
        system_prompt: Used where the request brings none.
        max_turns: Used where the request brings none.
        sandbox_domains: The hosts that a task's commands may reach out of their sandbox; None for no sandbox.
        sandbox_hides: What commands in it may not read, besides what is another run's.

    Raises:
        WorkerError: The CLI is missing, the state directory cannot be written, the request does not fit, or the
            session is not this run's to write.
    """
    cli = find_cli(host.environ)
    equipment = _equipment(request, host, workspace, sandbox_domains, sandbox_hides)
    lease = _lease(request, host, workspace)
    try:
        return _launch(
            request,
            host,
            cli,
            equipment,
            lease,
            system_prompt=request.system_prompt or system_prompt,
            max_turns=max_turns,
        )
    except BaseException:
        lease.abandon()
        raise


def _launch(
    request: Request,
    host: Environment,
    cli: Path,
    equipment: Equipment,
    lease: Lease,
    *,
    system_prompt: str,
    max_turns: int | None,
) -> ClaudeEngine:
    hide_from_others()  # a command of another run may be looking at this one already
    scratch = make_scratch(host.temporary_dir())
    orphans = Orphans() if equipment.runs_code else None
    config_dir = _config_dir(host)
    transcript = Transcript(config_dir, equipment.cwd, lease.agent_id)
    try:
        environ = agent_variables({**server_variables(request), **host.agent_environ(scratch), **equipment.variables})
        secrets, hidden = take_credentials(environ)
        if host.environ is os.environ:
            forget_secrets(os.environ)
        others = dict.fromkeys(hidden, "")
        if is_task(request) and request.mcp_servers:
            others[CACHE] = environ.get(CACHE) or str(Path(environ["HOME"], ".cache"))
            environ[CACHE] = str(scratch / "cache")  # the CLI keeps what servers have said there, for all to read
        if others and equipment.runs_code:  # each shell of a tool reads it first
            from shlex import quote  # noqa: PLC0415 for some tasks only

            lines = [
                f"export {name}={quote(value)}\n" if value else f"unset {name}\n" for name, value in others.items()
            ]
            environ["CLAUDE_ENV_FILE"] = str(written(scratch / "shell-environment", "".join(lines)))
        gate = written(scratch / "gate", json.dumps(equipment.gate)) if equipment.gate else None
        contents = file_contents(equipment, system_prompt, others, gate)
        files = {flag: written(scratch / flag.strip("-"), content) for flag, content in contents.items()}
        if not isinstance(request.prompt, str):
            refuse_image_files(scratch, equipment.cwd, lease.agent_id)
        _begin_where_nothing_is_left(lease, Transcript(config_dir, equipment.cwd, lease.resumes or lease.agent_id))
        argv = command_line(cli, request, equipment, lease, files=files, max_turns=max_turns)
        process = CliProcess(
            argv,
            environ=environ,
            cwd=equipment.cwd,
            scratch=scratch,
            secrets=secrets,
            orphans=orphans,
            lock=lease.descriptor,
            confined=equipment.runs_code and not equipment.sandboxed,
        )
    except BaseException:
        remove_scratch(scratch)
        raise
    try:
        prompt_id = str(uuid4())
        prompt = prompt_line(request, prompt_id)
        transcript.room += 3 * len(prompt)  # the CLI writes it twice at least
        held = prompt if equipment.needs_first else b""
        unsent = process.write_now(initialize_line(request) + (b"" if held else prompt))
        from agent_workers.engine.claude.engine import ClaudeEngine  # noqa: PLC0415 brings the event loop: the CLI boots meanwhile

        folder = host.common_dir("pending")
        servers = None
        if is_task(request) and request.mcp_servers:
            from agent_workers.engine.claude.launch.mcp_servers import McpServers  # noqa: PLC0415 few requests have servers

            servers = McpServers(request, environ)
        return ClaudeEngine(
            request,
            process,
            lease,
            unsent,
            held=held,
            transcript=transcript,
            prompt_id=prompt_id,
            folder=folder,
            servers=servers,
        )
    except BaseException:
        process.kill()
        process.remove_scratch()
        raise


def _lease(request: Request, host: Environment, worker: str) -> Lease:
    folder = host.common_dir("sessions")
    cwd = request.cwd if is_task(request) else None
    return take_lease(request.session, folder, Binding(worker, cwd, request.session_owner))


def _equipment(
    request: Request,
    host: Environment,
    workspace: str,
    sandbox_domains: Sequence[str] | None,
    sandbox_hides: Sequence[str],
) -> Equipment:
    if not is_task(request):
        return for_chat(request, host.common_dir("workspaces", workspace))
    from agent_workers.engine.claude.launch.task_capabilities import check_sandbox, for_task  # noqa: PLC0415 a chat does not need it

    if sandbox_domains is not None and "Bash" in request.tools:
        check_sandbox(host)
    private = host.private_dirs()
    temporary = host.temporary_dir()
    return for_task(
        request,
        private=[*private, temporary / f"{SCRATCH}*"],
        sandbox_domains=sandbox_domains,
        sandbox_hides=[*map(str, [*private, temporary]), *sandbox_hides],
    )


def _config_dir(host: Environment) -> Path:
    return (host.config_dir() or (host.home() or host.state_dir()) / ".claude").absolute()


def _begin_where_nothing_is_left(lease: Lease, earlier: Transcript) -> None:
    """A session whose only turn was refused begins once more, under its id."""
    if lease.resumes and earlier.is_blank():
        if lease.resumes == lease.agent_id:
            earlier.remove()
        lease.begin_anew()
