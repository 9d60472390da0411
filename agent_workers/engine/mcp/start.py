"""Starts the server of a tool's run, and imports the engine while it boots."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from agent_workers.engine.host.credentials import forget_secrets
from agent_workers.engine.process.guarded_process import GuardedProcess
from agent_workers.engine.process.leftovers import Orphans
from agent_workers.engine.process.prctl import hide_from_others
from agent_workers.engine.process.scratch import make_scratch, remove_scratch
from agent_workers.errors import McpUnavailable
from agent_workers.protocol.v1.tool_request import HttpToolServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_workers.engine.host.environment import Environment
    from agent_workers.engine.mcp.engine import McpEngine
    from agent_workers.protocol.v1.tool_request import StdioToolServer, ToolRequest

# What is meant for the agent, or for the provider of its model. A server has no use for it.
_AGENTS = re.compile(
    r"(?:ANTHROPIC|CLAUDE)_\w+|API_TIMEOUT_MS"
    r"|(?:AWS|AZURE|GOOGLE|GCLOUD|CLOUDSDK)_\w*(?:KEY|SECRET|TOKEN|PASSWORD|PASSPHRASE|CREDENTIALS?)\w*"
)


def start_tool(
    request: ToolRequest,
    environment: Environment,
    worker: str,
    *,
    started: Callable[[GuardedProcess], None] = lambda process: None,
) -> McpEngine:
    """Starts the server, where it is a process; returns the engine of the run.

    Args:
        request: A valid request, granted by the host's policy.
        environment: What this process finds on its host.
        worker: The worker's name; the server's working directory bears it.
        started: Is told of the process at once.

    Raises:
        McpUnavailable: The server cannot be started.
        StateUnavailable: There is no place for its files.
    """
    server = request.server
    if isinstance(server, HttpToolServer):
        process = None
        hide_from_others()  # the way to the server may lead through a proxy with a password
    else:
        process = _started(server, environment, worker)
        started(process)
    try:
        from agent_workers.engine.mcp.engine import McpEngine

        return McpEngine(request, process)
    except BaseException:
        if process:
            process.kill()
            process.remove_scratch()
        raise


def _started(server: StdioToolServer, environment: Environment, worker: str) -> GuardedProcess:
    cwd = environment.common_dir("workspaces", worker)
    scratch = make_scratch(environment.temporary_dir())
    try:
        environ = {**environment.program_environ(scratch, without=_AGENTS), **server.env}
        if environment.environ is os.environ:
            forget_secrets(os.environ)  # before the start: the guardian is a copy of this process
        return GuardedProcess(
            [server.command, *server.args],
            environ=environ,
            cwd=cwd,
            scratch=scratch,
            orphans=Orphans(),
            confined=True,
        )
    except OSError as error:
        remove_scratch(scratch)
        message = f"The MCP server {server.name} cannot be started."
        raise McpUnavailable(message, cause=f"{server.name}: {error.strerror}") from error
    except BaseException:
        remove_scratch(scratch)
        raise
