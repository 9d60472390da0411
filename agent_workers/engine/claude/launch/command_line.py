"""From a request to the CLI's command line, files and environment. Pure."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_workers.engine.claude.launch.installation import sdk_version
from agent_workers.protocol.v1.request import is_task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent_workers.engine.claude.launch.capabilities import Equipment
    from agent_workers.engine.claude.launch.sessions import Lease
    from agent_workers.protocol.v1.request import Request

_GATE_S = 60  # it takes a few hundredths of one; the machine may be busy

# What one run writes there would be instructions to the next, whosever that is.
_NO_MEMORY = {"CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1"}

# The CLI's own retries take minutes (401, 429, 5xx, refused connections: 10 attempts in about 175 s). Two retries take
# about 2 s. Without the non-streaming fallback a broken stream is an error instead of a second, silent request.
_BOUNDED_RETRIES = {
    "CLAUDE_CODE_MAX_RETRIES": "2",
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
}

# The run's own watchdog ends what is silent. The CLI's would take a pause for silence: it finds its timers due before
# it reads on.
_A_DAY_MS = "86400000"
_PATIENCE = {"API_TIMEOUT_MS": _A_DAY_MS, "CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS": _A_DAY_MS}


_MCP_START_MS = 30_000


def command_line(
    cli: Path,
    request: Request,
    equipment: Equipment,
    lease: Lease,
    *,
    files: Mapping[str, Path],
    max_turns: int | None,
) -> list[str]:
    """The CLI's argv with the least privilege: no settings files, no MCP servers and no tools but ours.

    Args:
        cli: The CLI's path.
        request: A valid request.
        equipment: What the agent has besides words.
        lease: The session that it writes.
        files: Written for this run, by their flags: a command line shows itself to every user of the host.
        max_turns: The worker's own limit, where the request brings none.
    """
    argv = [str(cli), "--output-format", "stream-json", "--verbose", "--input-format", "stream-json"]
    argv += ["--setting-sources=", "--strict-mcp-config", "--tools", ",".join(equipment.tools)]
    argv += ["--system-prompt-snapshot", "off"]  # else a resumed session keeps the instructions of its first run
    argv += equipment.flags
    for flag, file in files.items():
        argv += [flag, str(file)]
    argv += _model_flags(request, max_turns)
    argv += lease.flags
    if request.stream.partial:
        argv.append("--include-partial-messages")
    return argv


def file_contents(
    equipment: Equipment, system_prompt: str, variables: Mapping[str, str], gate: Path | None = None
) -> dict[str, str]:
    """What the CLI reads from files, by the flag that names each.

    Args:
        equipment: What the agent has besides words.
        system_prompt: The agent's instructions.
        variables: What MCP servers see in place of the CLI's own variables of these names.
        gate: The file for the program that looks at each command; None for none.
    """
    contents = {"--system-prompt-file": system_prompt}
    if equipment.settings:
        contents["--settings"] = json.dumps({**equipment.settings, **(_gated(gate) if gate else {})})
    if equipment.servers:
        servers = {
            name: {**server, "env": {**variables, **server["env"]}} if server["type"] == "stdio" else server
            for name, server in equipment.servers.items()
        }
        contents["--mcp-config"] = json.dumps({"mcpServers": servers})
    return contents


def _gated(rules: Path) -> dict[str, Any]:
    """The settings by which each command passes the gate. They hold from the start on, and also for a pending call."""
    from shlex import quote  # noqa: PLC0415 for tasks only

    from agent_workers.protocol.v1.tools import BUILT_IN_TOOLS  # noqa: PLC0415 likewise

    program = Path(__file__).parents[1] / "questions" / "gate.py"
    command = " ".join(map(quote, [sys.executable, "-I", "-S", str(program), str(rules)]))
    hook = {"type": "command", "command": command, "timeout": _GATE_S, "onFailure": "block"}
    guarded = [tool.name for tool in BUILT_IN_TOOLS.values() if tool.guarded]
    return {"hooks": {"PreToolUse": [{"matcher": "|".join(guarded), "hooks": [hook]}]}}


def _model_flags(request: Request, max_turns: int | None) -> Iterator[str]:
    if request.model:
        yield f"--model={request.model}"
    if request.fallback_model:
        yield f"--fallback-model={request.fallback_model}"
    if turns := request.max_turns or max_turns:
        yield f"--max-turns={turns}"
    if request.limits.max_budget_usd is not None:
        yield f"--max-budget-usd={request.limits.max_budget_usd}"


def agent_variables(allowed: Mapping[str, str]) -> dict[str, str]:
    """The CLI's environment: what the host allows, and the bounds on its patience where the operator set none."""
    identity = {"CLAUDE_CODE_ENTRYPOINT": "sdk-py", "CLAUDE_AGENT_SDK_VERSION": sdk_version()}
    return {**_BOUNDED_RETRIES, **_PATIENCE, **allowed, **_NO_MEMORY, **identity}


def server_variables(request: Request) -> dict[str, str]:
    """How long MCP servers may take to start, all at once: the CLI itself starts three at a time."""
    if not (is_task(request) and request.mcp_servers):
        return {}
    idle_ms = int(request.limits.idle_timeout_s * 1000)
    return {
        "MCP_TIMEOUT": str(min(_MCP_START_MS, max(idle_ms, _MCP_START_MS // 3))),
        "MCP_SERVER_CONNECTION_BATCH_SIZE": "100",
        "MCP_REMOTE_SERVER_CONNECTION_BATCH_SIZE": "100",
    }
