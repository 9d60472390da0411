"""Builds the variables of one run: what the CLI sees, and what its MCP servers and commands see."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agent_workers.engine.claude.launch.installation import sdk_version
from agent_workers.engine.claude.launch.run_files import written
from agent_workers.engine.host.credentials import forget_secrets, take_credentials
from agent_workers.protocol.v1.kind import is_task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.engine.claude.launch.capabilities import Capabilities
    from agent_workers.engine.host.environment import Environment
    from agent_workers.protocol.v1.request import Request

CACHE = "XDG_CACHE_HOME"

# What one run writes there would be instructions for the next one, whoever started it.
_NO_MEMORY = {"CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1"}

# The CLI's own retries take minutes (401, 429, 5xx, refused connections: 10 attempts in about 175 s). Two retries take
# about 2 s. Without the non-streaming fallback a broken stream is an error instead of a second, silent request.
_BOUNDED_RETRIES = {
    "CLAUDE_CODE_MAX_RETRIES": "2",
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
}

# The run's own watchdog ends a silent run. The CLI's watchdog would mistake a pause for silence: its timers are due
# before it reads on.
_A_DAY_MS = "86400000"
_PATIENCE = {"API_TIMEOUT_MS": _A_DAY_MS, "CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS": _A_DAY_MS}


_MCP_START_MS = 30_000


class Variables(NamedTuple):
    """The variables of one run.

    Attributes:
        environ: The CLI's whole environment.
        secrets: What the CLI reads from descriptors, by the variables that will hold the descriptors' numbers.
        beside: What MCP servers and commands see instead of the CLI's own variables of these names.
    """

    environ: Mapping[str, str]
    secrets: Mapping[str, bytes]
    beside: Mapping[str, str]

    @property
    def credential(self) -> int:
        """What tells in this process, and to nobody else, whether another run has the same secrets."""
        return hash(frozenset(self.secrets.items()))


def variables_of(request: Request, environment: Environment, capabilities: Capabilities, scratch: Path) -> Variables:
    """Builds the variables of a run, and removes the secrets from this process's own environment.

    Args:
        request: A valid request.
        environment: Where the agent lives.
        capabilities: What the agent may use besides text.
        scratch: The run's directory for temporary files.

    Raises:
        StateUnavailable: A directory or a file that they name cannot be written.
        AuthError: The run brings its own key, and the host's settings another that would come first.
    """
    environ = agent_variables(
        {**server_variables(request), **environment.agent_environ(scratch), **capabilities.variables}
    )
    if request.traceparent:
        environ["TRACEPARENT"] = request.traceparent  # the CLI's own spans, where they are on, are part of that trace
    if environment.has_own_credential and not environment.simulator_url:
        from agent_workers.engine.claude.launch.managed_settings import refuse_managed_credentials  # few runs

        refuse_managed_credentials(environ)
    secrets, remaining = take_credentials(environ)
    if environment.environ is os.environ:
        forget_secrets(os.environ)
    beside = dict.fromkeys(remaining, "")
    if is_task(request) and request.mcp_servers:
        beside[CACHE] = environ.get(CACHE) or str(Path(environ["HOME"], ".cache"))
        environ[CACHE] = str(scratch / "cache")  # there the CLI logs what servers say, for all to read
    if beside and capabilities.runs_code:
        environ["CLAUDE_ENV_FILE"] = str(written(scratch / "shell-environment", _shell_lines(beside)))
    return Variables(environ, secrets, beside)


def _shell_lines(variables: Mapping[str, str]) -> str:
    """Returns what each shell of a tool reads first."""
    from shlex import quote  # for some tasks only

    lines = [f"export {name}={quote(value)}\n" if value else f"unset {name}\n" for name, value in variables.items()]
    return "".join(lines)


def agent_variables(allowed: Mapping[str, str]) -> dict[str, str]:
    """Returns the CLI's variables: those that the host allows, and the bounds that the operator did not set."""
    identity = {"CLAUDE_CODE_ENTRYPOINT": "sdk-py", "CLAUDE_AGENT_SDK_VERSION": sdk_version()}
    return {**_BOUNDED_RETRIES, **_PATIENCE, **allowed, **_NO_MEMORY, **identity}


def server_variables(request: Request) -> dict[str, str]:
    """Returns how long MCP servers may take to start, all at once: by default the CLI starts three at a time."""
    if not (is_task(request) and request.mcp_servers):
        return {}
    idle_ms = int(request.limits.idle_timeout_s * 1000)
    return {
        "MCP_TIMEOUT": str(min(_MCP_START_MS, max(idle_ms, _MCP_START_MS // 3))),
        "MCP_SERVER_CONNECTION_BATCH_SIZE": "100",
        "MCP_REMOTE_SERVER_CONNECTION_BATCH_SIZE": "100",
    }
