"""The request's MCP servers: how long they may take to start, which ones failed, and why."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from agent_workers.engine.claude.launch.variables import CACHE
from agent_workers.errors import McpUnavailable
from agent_workers.protocol.v1.events import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from agent_workers.protocol.v1.task_request import TaskRequest

logger = logging.getLogger("agent_workers")

_MARGIN_S = 15
_LOOKS = 100
_PAUSE_S = 0.05
_MAX_DETAIL = 1000


class McpServers:
    """The servers of one run.

    Args:
        request: Names them.
        environ: The environment of the CLI, which starts them.

    Attributes:
        patience_s: Seconds within which the CLI must report which of them are up.
    """

    def __init__(self, request: TaskRequest, environ: Mapping[str, str]) -> None:
        self._names = list(request.mcp_servers)
        self._needed = {name for name in self._names if _is_needed(name, request)}
        self.patience_s = float(environ["MCP_TIMEOUT"]) / 1000 + _MARGIN_S
        self._logs = Path(environ[CACHE], "claude-cli-nodejs")
        self._up = anyio.Event()

    async def wait(self) -> McpUnavailable | None:
        """Waits until the agent is up; returns the error where it is still waiting for its servers."""
        with anyio.move_on_after(self.patience_s):
            await self._up.wait()
        return None if self._up.is_set() else self.all_missing()

    def awaits(self, message: dict[str, Any]) -> bool:
        """Tells whether this message is the first to say which servers are up."""
        return not self._up.is_set() and message.get("subtype") == "init"

    async def judge(self, init: dict[str, Any], session_id: str, *, end: Callable[[], None]) -> Iterator[Notice]:
        """Decides whether the run goes on without the servers that failed, and logs why they did.

        Args:
            init: The message that says which servers are up.
            session_id: The session as the CLI knows it.
            end: Ends the agent where the run needs one of them, before the model is paid for an answer.

        Raises:
            McpUnavailable: The run needs a server that is not up.
        """
        self._up.set()
        failed = self.failed(init)
        missing = self.missing(failed)
        if missing:
            end()
        await self.log(failed, session_id)
        if missing:
            raise missing
        return self.notices(failed)

    def failed(self, init: dict[str, Any]) -> list[str]:
        """Lists the servers that are not up, and those that the run needs and that have listed no tool."""
        told = init.get("mcp_servers")
        statuses = {server.get("name"): server.get("status") for server in told} if isinstance(told, list) else {}
        empty = {name for name in self._needed if _has_no_tool(name, init.get("tools"))}
        return [name for name in self._names if statuses and (statuses.get(name) != "connected" or name in empty)]

    def missing(self, names: Sequence[str]) -> McpUnavailable | None:
        """Returns the error where the run needs one of these servers; None where it can go on without them."""
        needed = [name for name in names if name in self._needed]
        if not needed:
            return None
        named = ", ".join(needed)
        words = f"The MCP server {named} does" if len(needed) == 1 else f"The MCP servers {named} do"
        return McpUnavailable(f"{words} not start or does not answer.", cause=f"not available: {named}")

    def all_missing(self) -> McpUnavailable:
        """Returns the error for an agent that never came up because it waits for its servers."""
        named = ", ".join(self._names)
        return McpUnavailable(
            f"The agent is still waiting for its MCP servers: {named}.", cause=f"no init in {self.patience_s:g} s"
        )

    def notices(self, names: Sequence[str]) -> Iterator[Notice]:
        """Yields a notice for each server that the run goes on without."""
        for name in names:
            message = f"The MCP server {name} does not start or does not answer. The run goes on without it."
            yield Notice(level="warning", code="mcp_failed", message=message)

    async def log(self, names: Sequence[str], session_id: str) -> None:
        """Logs what the CLI knows of each failure, with the end of the server's stderr."""
        for _ in range(_LOOKS):
            if all(self._detail(name, session_id) for name in names):
                break
            await anyio.sleep(_PAUSE_S)  # the CLI logs it a little later
        for name in names:
            logger.error("MCP server %s: %s", name, self._detail(name, session_id) or "not up when the agent was")

    def _detail(self, name: str, session_id: str) -> str:
        """Returns the CLI's own words from its log of the server; it has removed what looks like a secret."""
        found: list[str] = []
        for file in self._logs.glob(f"*/mcp-logs-{name}/*.jsonl"):
            try:
                lines = file.read_bytes().splitlines()
            except OSError:
                continue
            found += [words for line in lines if (words := _words(line, session_id))]
        return " ".join(" | ".join(found).split())[-_MAX_DETAIL:]


def _is_needed(name: str, request: TaskRequest) -> bool:
    return not request.mcp_servers[name].optional and any(tool.startswith(f"mcp__{name}__") for tool in request.tools)


def _has_no_tool(name: str, tools: object) -> bool:
    """Tells whether the agent has no tool of a server, which may be connected and yet not have answered what it has."""
    return isinstance(tools, list) and not any(str(tool).startswith(f"mcp__{name}__") for tool in tools)


def _words(line: bytes, session_id: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return ""
    if not isinstance(entry, dict) or entry.get("sessionId") != session_id:
        return ""
    debug = str(entry.get("debug", ""))
    return str(entry.get("error", "")) or (debug if "stderr" in debug else "")
