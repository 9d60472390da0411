"""Which engine can do which request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.protocol.v1.kind import is_task
from agent_workers.protocol.v1.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.protocol.v1.request import Request

AGENT = "agent"
MESSAGES = "messages"
ENGINES = (AGENT, MESSAGES)
_LACKS = {
    "tools": "has no tools but the application's",
    "mcp_servers": "speaks to no MCP servers",
    "agents": "has no subagents",
}


def misfits(request: Request, engine: str) -> Iterator[Problem]:
    """Yields what an engine cannot do of a request, each with the engine that can, or with what to do instead."""
    if engine == AGENT:
        if request.max_tokens is not None:
            yield Problem(pointer="/max_tokens", message=_unbounded(request))
    elif is_task(request):
        of_skill = ", and messages has none but the application's"
        cure = of_skill if request.skill_use else "; agent-chat is what takes messages"
        yield Problem(pointer="/engine", message=f"must be agent: {_work_of(request)}{cure}")
        if not request.skill_use:
            yield from (
                Problem(pointer=f"/{name}", message=f"needs engine agent: the engine messages {lacks}")
                for name, lacks in _LACKS.items()
                if getattr(request, name)
            )
    elif request.tools:
        yield Problem(pointer="/tools", message=f"needs engine agent: the engine messages {_LACKS['tools']}")


def _unbounded(request: Request) -> str:
    if is_task(request):
        return f"needs engine messages, and {_work_of(request)}: leave it out"
    if request.tools:
        return "cannot be combined with tools: the bound needs engine messages, and they need engine agent"
    return "needs engine messages: an agent has no bound on the tokens of one answer"


def _work_of(task: Request) -> str:
    if task.skill_use:
        return f"this skill has tools ({', '.join(task.tools)})"
    return "agent-task works with tools in a directory"
