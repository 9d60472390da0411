"""Policies and requests in short, and what comes of them."""

from pathlib import Path
from typing import Any

from agent_workers.errors import PolicyDenied
from agent_workers.policy import Policy
from agent_workers.protocol.v1.request import Request, parse_request
from agent_workers.protocol.v1.task_request import TaskRequest
from agent_workers.protocol.v1.tool_request import ToolRequest


def policy(**fields: Any) -> Policy:
    return Policy.model_validate({"version": 1, **fields})


def for_tasks(**fields: Any) -> Policy:
    """A policy with only the table `task`."""
    return policy(task=fields)


def words(**fields: Any) -> Request:
    return parse_request({"prompt": "Hello", **fields})


def task(cwd: Path | str = "/", **fields: Any) -> TaskRequest:
    return parse_request({"prompt": "Hello", "cwd": str(cwd), **fields}, TaskRequest)


def tool(**fields: Any) -> ToolRequest:
    server = {"name": "crm", "command": "/usr/bin/crm"}
    return parse_request({"server": server, "tool": "search", **fields}, ToolRequest)


def denied(given: Policy, request: Request | ToolRequest, worker: str | None = None) -> dict[str, str]:
    """The message of each objection by its place; empty where the request is granted."""
    try:
        grant(given, request, worker)
    except PolicyDenied as denial:
        return {problem.pointer: problem.message for problem in denial.details or ()}
    return {}


def grant(given: Policy, request: Request | ToolRequest, worker: str | None = None) -> Any:
    workers = {TaskRequest: "agent-task", ToolRequest: "agent-tool"}
    return given.grant(request, worker or workers.get(type(request), "agent-chat"))
