"""What kind of request this is. It knows without the models, which a start does not wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeGuard

    from typing_extensions import TypeIs

    from agent_workers.protocol.v1.request import AnyRequest
    from agent_workers.protocol.v1.task_request import TaskRequest
    from agent_workers.protocol.v1.tool_request import ToolRequest


def is_task(request: AnyRequest) -> TypeGuard[TaskRequest]:
    """Tells whether this is a task's request."""
    return request.has_tools


def is_tool_run(request: AnyRequest) -> TypeIs[ToolRequest]:
    """Tells whether this is the request of a tool's run, without a model."""
    return not request.asks_model
