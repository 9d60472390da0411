"""From a task's request to what its agent has: the CLI's tools, permission rules, servers and sandbox. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_workers.engine.claude.launch.capabilities import WITH_SERVERS, Capabilities, app_server, app_tool_names
from agent_workers.engine.claude.launch.sandbox import needs_sandbox, sandbox_settings
from agent_workers.protocol.v1.task_request import tools_of
from agent_workers.protocol.v1.tools import BUILT_IN_TOOLS, PATH_RULES, SHELL, path_rule_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent_workers.engine.claude.launch.capabilities import Sandbox
    from agent_workers.protocol.v1.task_request import Mode, TaskRequest

_MODES = {
    "deny": ("--permission-mode", "dontAsk"),
    "ask": ("--permission-mode", "default", "--permission-prompt-tool", "stdio"),
    "defer": ("--permission-mode", "default", "--permission-prompt-tool", "stdio"),
    "accept_edits": ("--permission-mode", "acceptEdits"),
    "plan": ("--permission-mode", "plan"),
}
# What the worker and the CLI make in the state and configuration directories.
_OWN_FOLDERS = ("claude", "pending", "projects", "sessions", "simulator", "workspaces")
# Work that outlives its turn would be lost at the run's end.
_VARIABLES = {"CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1"}


def for_task(
    request: TaskRequest,
    *,
    private: Sequence[Path] = (),
    sandbox: Sandbox | None = None,
) -> Capabilities:
    """What the agent of this request has.

    Args:
        request: Valid, granted by the host's policy, its paths resolved.
        private: Directories, or patterns of them, in which no file tool may read or write, whoever allows it.
        sandbox: Where commands run; None for no sandbox.
    """
    permissions = request.permissions
    sandbox = sandbox if needs_sandbox(request) else None
    rules = {
        "allow": list(_allowed(request)),
        "ask": list(_asked(request, confined=sandbox is not None)),
        "deny": [*map(_named, permissions.deny), *_kept_out(private, Path(request.cwd))],
    }
    return Capabilities(
        Path(request.cwd),
        tools=[name for name in request.tools if not name.startswith("mcp__")],
        flags=[*_MODES[permissions.mode], *_directory_flags(request)],
        settings=_settings(permissions.mode, rules) | (sandbox_settings(sandbox) if sandbox else {}),
        gate=_gate(request),
        servers=_servers(request) | app_server(request),
        variables=WITH_SERVERS | _VARIABLES,
        runs_code=True,
        sandboxed=sandbox is not None,
        needs_first=permissions.mode == "defer",
    )


def _settings(mode: Mode, rules: dict[str, list[str]]) -> dict[str, Any]:
    """The CLI's settings file: the rules, and what no mode of the CLI may change, whatever its version means by it."""
    # Not in the others: it would tell the model of a denied write as of one that failed.
    inside = {"blockFileToolReadsOutsideWorkingDirectories": True} if mode == "plan" else {}
    return {
        # Else plan mode is the CLI's auto mode: it reads the whole disk, and has calls judged by a service of its own.
        "useAutoModeDuringPlan": False,
        "disableAutoMode": "disable",
        "permissions": {**rules, **inside},
    }


def _gate(request: TaskRequest) -> dict[str, Any] | None:
    """What `gate.Gate` has to know; None where there is no call to look at, or each waits for a decision."""
    permissions = request.permissions
    if permissions.mode == "defer" or not any(
        tool.guarded and tool.name in request.tools and tool.name not in permissions.allow
        for tool in BUILT_IN_TOOLS.values()
    ):
        return None
    return {
        "allow": permissions.allow,
        "deny": permissions.deny,
        "directories": [request.cwd, *request.add_dirs],
        "edits": permissions.mode == "accept_edits",
    }


def _directory_flags(request: TaskRequest) -> Iterator[str]:
    for directory in request.add_dirs:
        yield f"--add-dir={directory}"


def _allowed(request: TaskRequest) -> Iterator[str]:
    directories = [request.cwd, *request.add_dirs]
    for rule in request.permissions.allow:
        if rule.startswith("mcp__"):
            yield from tools_of(rule, request.tools)
        else:
            yield from _scoped(rule, directories)
    yield from app_tool_names(request)


def _asked(request: TaskRequest, *, confined: bool) -> Iterator[str]:
    """What the CLI would run without a question, but is not to. These rules beat the allow rules."""
    permissions = request.permissions
    if permissions.mode == "defer":
        # The CLI re-runs a pending call by its rules alone, maybe before it can be told of the decision.
        yield from (tool for tool in request.tools if permissions.decision or tool not in permissions.allow)
    if SHELL in request.tools and not confined and not any(map(_covers_git, permissions.allow)):
        yield f"{SHELL}(git:*)"  # a repository's own configuration names programs that even `git status` runs


def _covers_git(rule: str) -> bool:
    return rule == SHELL or rule.startswith(f"{SHELL}(git")


def _scoped(rule: str, directories: Sequence[str]) -> Iterator[str]:
    """A rule on files, bound to the working directories: without a path the CLI would take it for the whole disk."""
    if kind := path_rule_of(rule):
        yield from (f"{kind}(/{directory.rstrip('/')}/**)" for directory in directories)
    else:
        yield _named(rule)


def _named(rule: str) -> str:
    """A rule with a path, by the name under which the CLI looks for it; relative to the working directory."""
    name, opened, path = rule.partition("(")
    kind = path_rule_of(name)
    return f"{kind}({path}" if opened and kind else rule


def _kept_out(private: Sequence[Path], cwd: Path) -> Iterator[str]:
    """The deny rules for what is private; of a directory that the working directory lies in, for its own folders."""
    for directory in private:
        inside = cwd.is_relative_to(directory)
        for path in [directory / name for name in _OWN_FOLDERS] if inside else [directory]:
            if not cwd.is_relative_to(path):
                yield from (f"{kind}(/{path}/**)" for kind in PATH_RULES)


def _servers(request: TaskRequest) -> dict[str, Any]:
    """The request's MCP servers, as the CLI's configuration has them."""
    return {name: server.model_dump(exclude={"optional"}) for name, server in request.mcp_servers.items()}
