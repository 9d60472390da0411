"""The sandbox in which the CLI runs a task's commands, where the host's policy asks for one."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

from agent_workers.errors import SandboxUnavailable
from agent_workers.protocol.v1.tools import SHELL

if TYPE_CHECKING:
    from agent_workers.engine.claude.launch.capabilities import Sandbox
    from agent_workers.engine.host.environment import Environment
    from agent_workers.protocol.v1.task_request import TaskRequest

# A Unix socket's path has 107 bytes (unix(7)); of these the run's directory and the socket's own name take about 60.
_MAX_TMPDIR = 45


def needs_sandbox(request: TaskRequest) -> bool:
    """Tells whether the request can run commands, which are all that a sandbox confines."""
    return SHELL in request.tools


def sandbox_settings(sandbox: Sandbox) -> dict[str, Any]:
    """Returns the CLI's settings for the sandbox: without one it does not start."""
    reads = {"filesystem": {"denyRead": list(sandbox.hides)}} if sandbox.hides else {}
    return {
        "sandbox": {
            "enabled": True,
            "failIfUnavailable": True,
            "autoAllowBashIfSandboxed": False,
            "allowUnsandboxedCommands": False,
            "network": {"allowedDomains": list(sandbox.domains)},
            **reads,
        }
    }


def check_sandbox(environment: Environment) -> None:
    """Checks that a sandbox is possible here. The CLI checks the rest and does not start without it.

    Raises:
        SandboxUnavailable: A program that it needs is missing, or TMPDIR is too long for the names of its sockets.
    """
    if sys.platform != "linux":
        return
    path = environment.environ.get("PATH")
    missing = [program for program in ("bwrap", "socat") if not shutil.which(program, path=path)]
    if missing:
        raise SandboxUnavailable(cause=f"not on the PATH: {', '.join(missing)} (packages bubblewrap and socat)")
    temporary = environment.temporary_dir()
    if len(os.fsencode(temporary)) > _MAX_TMPDIR:
        raise SandboxUnavailable(cause=f"TMPDIR is a path of more than {_MAX_TMPDIR} bytes: {temporary}")
