"""Starts the agent of a run: boots its CLI and hands it the prompt, then imports the engine while the CLI boots."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from agent_workers.engine.claude.launch.boot import BootedCli, boot
from agent_workers.engine.claude.process.cli_input import initialize_line, prompt_line
from agent_workers.protocol.v1.kind import is_task

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_workers.engine.base import WorkerDefaults
    from agent_workers.engine.claude.engine import ClaudeEngine
    from agent_workers.engine.claude.launch.capabilities import Sandbox
    from agent_workers.engine.claude.launch.mcp_servers import McpServers
    from agent_workers.engine.host.environment import Environment
    from agent_workers.protocol.v1.request import Request


def start_agent(
    request: Request,
    environment: Environment,
    worker: WorkerDefaults,
    *,
    sandbox: Sandbox | None = None,
    booted: Callable[[BootedCli], None] = lambda cli: None,
    keep: bool = False,
) -> ClaudeEngine:
    """Starts the agent of a run and hands it the prompt.

    Args:
        request: A valid request, granted by the host's policy.
        environment: Where the agent lives.
        worker: The worker's part.
        sandbox: The sandbox of a task's commands; None for no sandbox.
        booted: Is told of the CLI before it is told anything.
        keep: Whether the CLI is to wait for the session's next run; ``ClaudeEngine.kept`` is it, where it does.

    Raises:
        WorkerError: The CLI is missing, the state directory cannot be written, the request does not fit, or the
            session belongs to somebody else or is in use.
    """
    cli = boot(request, environment, worker, sandbox)
    try:
        booted(cli)
        return hand_over(request, environment, cli, keep=keep)
    except BaseException:
        cli.abandon()
        raise


def hand_over(request: Request, environment: Environment, cli: BootedCli, *, keep: bool = False) -> ClaudeEngine:
    """Hands the prompt to a CLI that has been told nothing; returns the engine of the run.

    Args:
        request: The request that the CLI was booted for.
        environment: Where the agent lives.
        cli: The CLI; where this fails, the caller abandons it.
        keep: Whether the CLI is to wait for the session's next run.

    Raises:
        StateUnavailable: The state directory cannot be written.
    """
    prompt_id = str(uuid4())
    prompt = prompt_line(request, prompt_id)
    cli.transcript.room += 3 * len(prompt)  # the CLI writes it twice at least
    later = prompt if cli.has_pending_call else b""
    held = prompt if cli.capabilities.needs_first and not later else b""
    unsent = cli.process.write_now(initialize_line(request, cli.late_instructions) + (b"" if held or later else prompt))
    from agent_workers.engine.claude.engine import ClaudeEngine

    return ClaudeEngine(
        request,
        cli,
        unsent,
        held=held,
        later=later,
        prompt_id=prompt_id,
        folder=environment.common_dir("pending"),
        servers=_servers(request, cli),
        keep=keep and request.limits.max_budget_usd is None,  # which the CLI counts from its start
    )


def _servers(request: Request, cli: BootedCli) -> McpServers | None:
    if not (is_task(request) and request.mcp_servers):
        return None
    from agent_workers.engine.claude.launch.mcp_servers import McpServers  # few requests have servers

    return McpServers(request, cli.environ)
