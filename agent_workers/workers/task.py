"""agent-task: an agent with tools, in a working directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from agent_workers.protocol.v1.problem import Problem, pointer
from agent_workers.protocol.v1.settings import ResumeSession
from agent_workers.protocol.v1.task_request import TaskRequest, tools_of
from agent_workers.protocol.v1.tool_names import ASK_USER, SUBAGENT
from agent_workers.protocol.v1.tools import BUILT_IN_TOOLS, nearest_tool, path_rule_of
from agent_workers.workers.base import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check_host(request: TaskRequest) -> Iterator[Problem]:
    for place, path in [("/cwd", request.cwd), *((f"/add_dirs/{n}", path) for n, path in enumerate(request.add_dirs))]:
        if fault := _directory_fault(path):
            yield Problem(pointer=place, message=fault)


def _check(request: TaskRequest) -> Iterator[Problem]:
    yield from _tool_problems(request)
    yield from _rule_problems(request)
    yield from _path_problems(request)
    yield from _decision_problems(request)


def _directory_fault(path: str) -> str | None:
    try:
        if not Path(path).is_dir():
            return "must be a directory that exists"
    except OSError:
        return "must be a directory that exists"
    return None if os.access(path, os.R_OK | os.X_OK) else "must be a directory that the worker may read"


def _tool_problems(request: TaskRequest) -> Iterator[Problem]:
    for number, name in enumerate(request.tools):
        if fault := _tool_fault(name, request):
            yield Problem(pointer=f"/tools/{number}", message=fault, did_you_mean=nearest_tool(name))
    if request.agents and SUBAGENT not in request.tools:
        yield Problem(pointer="/agents", message=f"needs {SUBAGENT} in tools: that is how a subagent is called")
    for name, agent in request.agents.items():
        for number, tool in enumerate(agent.tools or ()):
            if tool not in request.tools:
                place = pointer(("agents", name, "tools", number))
                yield Problem(pointer=place, message="must be one of the request's tools")
            elif tool == ASK_USER:
                place = pointer(("agents", name, "tools", number))
                yield Problem(pointer=place, message=f"must not be {ASK_USER}: a subagent cannot ask the user")


def _tool_fault(name: str, request: TaskRequest) -> str | None:
    if not name.startswith("mcp__"):
        return None if name in BUILT_IN_TOOLS else f"is not a known tool; one of: {', '.join(BUILT_IN_TOOLS)}"
    server = name.removeprefix("mcp__").partition("__")[0]
    return None if server in request.mcp_servers else f"names a server that mcp_servers does not have: {server!r}"


def _rule_problems(request: TaskRequest) -> Iterator[Problem]:
    for number, rule in enumerate(request.permissions.allow):
        place = f"/permissions/allow/{number}"
        if not tools_of(rule, request.tools):
            yield Problem(pointer=place, message=f"allows {rule.partition('(')[0]}, which is not in tools")
        elif request.permissions.mode == "defer" and rule not in request.tools:
            yield Problem(pointer=place, message="must be a whole tool in mode defer, without a specifier")


def _path_problems(request: TaskRequest) -> Iterator[Problem]:
    for where in ("allow", "deny"):
        for number, rule in enumerate(getattr(request.permissions, where)):
            name, _, path = rule.partition("(")
            if path_rule_of(name) and path.startswith("/") and not path.startswith("//"):
                words = "must be relative to cwd"  # an allow rule stays there: the policy refuses //
                if where == "deny":
                    words += ", or begin with // for a path from the root"
                yield Problem(pointer=f"/permissions/{where}/{number}", message=words)


def _decision_problems(request: TaskRequest) -> Iterator[Problem]:
    if request.permissions.decision is None:
        return
    if request.permissions.decision.updated_input == {}:
        words = "must not be empty: leave the field out to run the model's own input"
        yield Problem(pointer="/permissions/decision/updated_input", message=words)
    if request.permissions.decision.answers is not None:
        for name in ("message", "updated_input"):
            if getattr(request.permissions.decision, name) is not None:
                yield Problem(pointer=f"/permissions/decision/{name}", message="cannot be combined with answers")
        if request.permissions.decision.behavior == "deny":
            yield Problem(pointer="/permissions/decision/answers", message="needs the behavior allow")
    if request.permissions.mode != "defer":
        yield Problem(pointer="/permissions/decision", message="is allowed in mode defer only")
    if not isinstance(request.session, ResumeSession):
        yield Problem(pointer="/permissions/decision", message="needs session.resume: the session of the pending call")
    elif request.session.fork:
        yield Problem(
            pointer="/session/fork", message="cannot be combined with permissions.decision: one call, one run"
        )


_EXAMPLES = """\
echo '{"prompt": "What is in here?", "cwd": "/srv/work", "tools": ["Read", "Glob"]}' | agent-task
agent-task --interactive --pretty < task.json     asks you, in mode ask
agent-task --interactive < task.json | jq -r 'select(.type == "tool_call").name'
agent-task --control                              stdin goes on: answers, results of app_tools, steer, abort
agent-task --policy policy.toml < task.json       within what a policy of the host allows
agent-task --simulate=parallel-tools --pretty < task.json"""

WORKER = Worker(
    name="agent-task",
    summary="Has Claude do a task with tools, in a working directory.",
    system_prompt=(
        "You are an agent inside a business application and work on a task with the tools that you have. "
        "Answer in the language of the user. A call that is denied stays denied: go on without it, or say what you "
        "would need. At the end say in a few words what you have done and what is left open."
    ),
    max_turns=50,
    request=TaskRequest,
    examples=_EXAMPLES,
    check=_check,
    check_host=_check_host,
)
