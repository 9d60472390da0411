"""What an agent may use besides text: a working directory, tools, permission rules and MCP servers."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from agent_workers.protocol.v1.kind import is_task
from agent_workers.protocol.v1.tool_names import APP_SERVER, APP_TOOL, ASK_USER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agent_workers.protocol.v1.request import Request


# The model gets all tools of the request's servers at once: a search for them would need a tool of its own.
WITH_SERVERS = {"ENABLE_TOOL_SEARCH": "false"}


# The CLI then asks the worker about calls that its rules leave open.
ASKS_WORKER = ("--permission-prompt-tool", "stdio")

_NONE: Mapping[str, Any] = MappingProxyType({})


class Sandbox(NamedTuple):
    """The sandbox of a task's commands, as the host's policy sets it.

    Attributes:
        domains: The hosts that commands may reach.
        hides: What they may not read, besides what is another run's.
    """

    domains: Sequence[str] = ()
    hides: Sequence[str] = ()


class Capabilities(NamedTuple):
    """What the CLI is started with, so that the agent can do what the request grants, and no more.

    Attributes:
        cwd: The CLI's working directory.
        tools: The names of the built-in tools that it offers the model.
        flags: Further arguments of its command line.
        settings: The content of its settings file, with the permission rules.
        gate: The arguments of the gate that checks each command; None for no gate.
        servers: MCP servers by name, as its configuration file has them.
        variables: Added to its environment.
        runs_code: Whether the model may start processes beside it, which must not find its credentials.
        sandboxed: Whether these run in a sandbox, where they see no other process.
        needs_first: Whether the SDK must speak to the CLI before the prompt is sent.
    """

    cwd: Path
    tools: Sequence[str] = ()
    flags: Sequence[str] = ()
    settings: Mapping[str, Any] = _NONE
    gate: Mapping[str, Any] | None = None
    servers: Mapping[str, Any] = _NONE
    variables: Mapping[str, str] = _NONE
    runs_code: bool = False
    sandboxed: bool = False
    needs_first: bool = False


def for_chat(request: Request, cwd: Path) -> Capabilities:
    """Returns the capabilities of a chat: none but questions to the user and the application's tools."""
    if not request.app_tools and not request.tools:
        return Capabilities(cwd)
    return Capabilities(
        cwd,
        tools=request.tools,
        flags=("--permission-mode", "default", *ASKS_WORKER) if ASK_USER in request.tools else (),
        settings={"permissions": {"allow": app_tool_names(request)}},
        servers=app_server(request),
        variables=WITH_SERVERS,
    )


def app_tool_names(request: Request) -> list[str]:
    """Lists the names that the model sees of the application's tools. All are allowed: the application may refuse."""
    return [f"{APP_TOOL}{tool.name}" for tool in request.app_tools or ()]


def app_server(request: Request) -> dict[str, Any]:
    """Returns the MCP server that the SDK runs in this process for the application's tools; empty without tools."""
    return {APP_SERVER: {"type": "sdk", "name": APP_SERVER}} if request.app_tools else {}


def offered(request: Request) -> list[str] | None:
    """Lists the tools that the request asks for; None for a chat, which may ask only for the application's."""
    return [*request.tools, *app_tool_names(request)] if is_task(request) else None
