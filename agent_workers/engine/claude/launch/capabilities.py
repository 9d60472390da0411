"""What an agent has besides words: a place to work, tools, rules, servers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent_workers.protocol.v1.request import is_task
from agent_workers.protocol.v1.settings import APP_SERVER, APP_TOOL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agent_workers.protocol.v1.request import Request


# The model gets all the tools of the request's servers at once; searching for them would need a tool of its own.
WITH_SERVERS = {"ENABLE_TOOL_SEARCH": "false"}


@dataclass(frozen=True)
class Sandbox:
    """Where the commands of a task run, as the operator has it.

    Attributes:
        domains: The hosts that commands may reach.
        hides: What they may not read, besides what is another run's.
    """

    domains: Sequence[str] = ()
    hides: Sequence[str] = ()


@dataclass(frozen=True)
class Capabilities:
    """The CLI's part of a request's privileges.

    Attributes:
        cwd: Its working directory.
        tools: The names of the built-in tools that it offers to the model.
        flags: Further arguments.
        settings: The content of its settings file, with the permission rules.
        gate: What the program that looks at each command has to know; None for none.
        servers: MCP servers by name, as its configuration file has them.
        variables: To add to its environment.
        runs_code: Whether processes of the model's choosing may run beside it, which must not find its credentials.
        sandboxed: Whether the CLI runs these in a sandbox, from where they see no other process.
        needs_first: Whether the SDK has to say something to the CLI before the prompt.
    """

    cwd: Path
    tools: Sequence[str] = ()
    flags: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    gate: Mapping[str, Any] | None = None
    servers: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    runs_code: bool = False
    sandboxed: bool = False
    needs_first: bool = False


def for_chat(request: Request, cwd: Path) -> Capabilities:
    """Words, and the application's tools."""
    if not request.app_tools:
        return Capabilities(cwd)
    settings = {"permissions": {"allow": app_tool_names(request)}}
    return Capabilities(cwd, settings=settings, servers=app_server(request), variables=WITH_SERVERS)


def app_tool_names(request: Request) -> list[str]:
    """The application's tools as the model sees them. They are allowed: the application itself may refuse."""
    return [f"{APP_TOOL}{tool.name}" for tool in request.app_tools or ()]


def app_server(request: Request) -> dict[str, Any]:
    """The server that the SDK runs in this process for the application's tools, where there are any."""
    return {APP_SERVER: {"type": "sdk", "name": APP_SERVER}} if request.app_tools else {}


def offered(request: Request) -> list[str] | None:
    """The names of the tools that the request asks for; None where it can ask for none but the application's."""
    return [*request.tools, *app_tool_names(request)] if is_task(request) else None
