"""Writes the files of one run into its temporary directory before the CLI starts."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_workers.engine.claude.launch.transcript import folder_name
from agent_workers.engine.process.scratch import NO_TMPDIR
from agent_workers.errors import StateUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.engine.claude.launch.capabilities import Capabilities

_GATE_S = 60  # it takes a few hundredths of a second; the machine may be busy


def written(file: Path, content: str) -> Path:
    """Writes a file; returns its path.

    Raises:
        StateUnavailable: It cannot be written.
    """
    try:
        file.write_text(content, "utf-8")
    except OSError as error:
        raise StateUnavailable(NO_TMPDIR, cause=f"{file}: {error.strerror}") from error
    return file


def write_files(
    capabilities: Capabilities, system_prompt: str | None, variables: Mapping[str, str], scratch: Path
) -> dict[str, Path]:
    """Writes what the CLI reads from files; returns their paths by the flags that name them.

    Args:
        capabilities: What the agent may use besides text.
        system_prompt: The agent's instructions; None where it is told them later.
        variables: What MCP servers see instead of the CLI's own variables of these names.
        scratch: The run's directory for temporary files.

    Raises:
        StateUnavailable: A file cannot be written.
    """
    gate = written(scratch / "gate", json.dumps(capabilities.gate)) if capabilities.gate else None
    contents = file_contents(capabilities, system_prompt, variables, gate)
    return {flag: written(scratch / flag.strip("-"), content) for flag, content in contents.items()}


def file_contents(
    capabilities: Capabilities, system_prompt: str | None, variables: Mapping[str, str], gate: Path | None = None
) -> dict[str, str]:
    """Returns what the CLI reads from files, by the flags that name them.

    Args:
        capabilities: What the agent may use besides text.
        system_prompt: The agent's instructions; None where it is told them later.
        variables: What MCP servers see instead of the CLI's own variables of these names.
        gate: The file with the gate's arguments; None for no gate.
    """
    contents = {} if system_prompt is None else {"--system-prompt-file": system_prompt}
    if capabilities.settings:
        contents["--settings"] = json.dumps({**capabilities.settings, **(_gated(gate) if gate else {})})
    if capabilities.servers:
        servers = {
            name: {**server, "env": {**variables, **server["env"]}} if server["type"] == "stdio" else server
            for name, server in capabilities.servers.items()
        }
        contents["--mcp-config"] = json.dumps({"mcpServers": servers})
    return contents


def _gated(rules: Path) -> dict[str, Any]:
    """Returns the settings that send each guarded call through the gate, from the start on and also when resumed."""
    from shlex import quote  # for tasks only

    from agent_workers.protocol.v1.tools import BUILT_IN_TOOLS

    program = Path(__file__).parents[1] / "questions" / "gate.py"
    command = " ".join(map(quote, [sys.executable, "-I", "-S", str(program), str(rules)]))
    hook = {"type": "command", "command": command, "timeout": _GATE_S, "onFailure": "block"}
    guarded = [tool.name for tool in BUILT_IN_TOOLS.values() if tool.guarded]
    return {"hooks": {"PreToolUse": [{"matcher": "|".join(guarded), "hooks": [hook]}]}}


def refuse_image_files(scratch: Path, cwd: Path, agent_id: str) -> None:
    """Keeps the CLI from saving the prompt's images to files, whose paths it would tell the model.

    Args:
        scratch: The run's directory for temporary files.
        cwd: The agent's working directory.
        agent_id: The session as the CLI knows it.
    """
    place = scratch
    for name in (f"claude-{os.getuid()}", folder_name(os.path.realpath(cwd)), agent_id):
        place /= name
        place.mkdir(mode=0o700, exist_ok=True)  # by an earlier prompt, or by an agent that was started ahead
    (place / "images").touch()
