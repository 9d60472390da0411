"""Which engine can do which request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.protocol.v1.problem import Problem
from agent_workers.protocol.v1.request import is_task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.protocol.v1.request import Request

AGENT = "agent"
MESSAGES = "messages"
_OF_TASKS = {
    "tools": "has no tools but the application's",
    "mcp_servers": "speaks to no MCP servers",
    "agents": "has no subagents",
}


def misfits(request: Request, engine: str) -> Iterator[Problem]:
    """Yields what an engine cannot do of a request, each with the engine that can."""
    if engine == AGENT:
        if request.max_tokens is not None:
            words = "needs engine messages: an agent has no bound on the tokens of one answer"
            yield Problem(pointer="/max_tokens", message=words)
        return
    found = {name: lacks for name, lacks in _OF_TASKS.items() if getattr(request, name, None)}
    if is_task(request) and not found:
        found = {"cwd": "works in no directory"}
    for name, lacks in found.items():
        yield Problem(pointer=f"/{name}", message=f"needs engine agent: the engine messages {lacks}")
