"""Turns a task's request into its agent's capabilities: tools, permission rules, MCP servers and sandbox. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_workers.engine.claude.launch.capabilities import (
    ASKS_WORKER,
    WITH_SERVERS,
    Capabilities,
    app_server,
    app_tool_names,
)
from agent_workers.engine.claude.launch.sandbox import needs_sandbox, sandbox_settings
from agent_workers.protocol.v1.task_request import tools_of
from agent_workers.protocol.v1.tool_names import ASK_USER
from agent_workers.protocol.v1.tools import BUILT_IN_TOOLS, PATH_RULES, SHELL, path_rule_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent_workers.engine.claude.launch.capabilities import Sandbox
    from agent_workers.protocol.v1.task_request import Mode, TaskRequest

_MODES = {"deny": "dontAsk", "ask": "default", "defer": "default", "accept_edits": "acceptEdits", "plan": "plan"}
# What the worker and the CLI create in the state and configuration directories.
_OWN_FOLDERS = ("claude", "pending", "projects", "sessions", "simulator", "workspaces")
# Background work would be lost at the end of the run.
_VARIABLES = {"CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1"}


def for_task(
    request: TaskRequest,
    *,
    private: Sequence[Path] = (),
    sandbox: Sandbox | None = None,
) -> Capabilities:
    """Returns the capabilities of a task.

    Args:
        request: Valid, granted by the host's policy, its paths resolved.
        private: Directories, or patterns of them, that no file tool may read or write, whatever is allowed.
        sandbox: The sandbox of its commands; None for no sandbox.
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
        flags=[*_mode_flags(request), *_directory_flags(request)],
        settings=_settings(permissions.mode, rules) | (sandbox_settings(sandbox) if sandbox else {}),
        gate=_gate(request),
        servers=_servers(request) | app_server(request),
        variables=WITH_SERVERS | _VARIABLES,
        runs_code=True,
        sandboxed=sandbox is not None,
        needs_first=permissions.mode == "defer",
    )


def _mode_flags(request: TaskRequest) -> Iterator[str]:
    mode, asks_user = request.permissions.mode, ASK_USER in request.tools
    # The CLI's mode for "deny" denies questions to the user too; the worker denies the rest as well.
    yield from ("--permission-mode", "default" if asks_user and mode == "deny" else _MODES[mode])
    if asks_user or mode in ("ask", "defer"):
        yield from ASKS_WORKER


def _settings(mode: Mode, rules: dict[str, list[str]]) -> dict[str, Any]:
    """Returns the CLI's settings: the rules, and what no permission mode may change, whatever the CLI's version."""
    # Not in the other modes: there it would report a denied write to the model as a failed one.
    inside = {"blockFileToolReadsOutsideWorkingDirectories": True} if mode == "plan" else {}
    return {
        # Otherwise plan mode is the CLI's auto mode: it reads the whole disk, and a service of its own judges calls.
        "useAutoModeDuringPlan": False,
        "disableAutoMode": "disable",
        "permissions": {**rules, **inside},
    }


def _gate(request: TaskRequest) -> dict[str, Any] | None:
    """Returns the arguments of ``gate.Gate``; None where no call needs the gate, or each call waits for a decision."""
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
    for rule in _granted(request.permissions.allow):
        if rule.startswith("mcp__"):
            yield from tools_of(rule, request.tools)
        else:
            yield from _scoped(rule, directories)
    yield from app_tool_names(request)


def _asked(request: TaskRequest, *, confined: bool) -> Iterator[str]:
    """Yields the rules for calls that the CLI would otherwise run without a question. They beat the allow rules."""
    permissions = request.permissions
    if permissions.mode == "defer":
        # The CLI re-runs a pending call by its rules alone, maybe before it can be told of the decision.
        yield from (tool for tool in request.tools if permissions.decision or tool not in _granted(permissions.allow))
    if SHELL in request.tools and not confined and not any(map(_covers_git, permissions.allow)):
        yield f"{SHELL}(git:*)"  # a repository's own configuration names programs that even `git status` runs


def _granted(rules: Sequence[str]) -> list[str]:
    """Returns the rules without those that would have the CLI run a question to the user, which needs an answer."""
    return [rule for rule in rules if rule.partition("(")[0] != ASK_USER]


def _covers_git(rule: str) -> bool:
    return rule == SHELL or rule.startswith(f"{SHELL}(git")


def _scoped(rule: str, directories: Sequence[str]) -> Iterator[str]:
    """Yields a rule on files for each working directory: without a path the CLI would apply it to the whole disk."""
    if kind := path_rule_of(rule):
        yield from (f"{kind}(/{directory.rstrip('/')}/**)" for directory in directories)
    else:
        yield _named(rule)


def _named(rule: str) -> str:
    """Returns a rule with a path under the name that the CLI checks; the path is relative to the working directory."""
    name, opened, path = rule.partition("(")
    kind = path_rule_of(name)
    return f"{kind}({path}" if opened and kind else rule


def _kept_out(private: Sequence[Path], cwd: Path) -> Iterator[str]:
    """Yields deny rules for private directories; for one around the working directory, those for its own folders."""
    for directory in private:
        inside = cwd.is_relative_to(directory)
        for path in [directory / name for name in _OWN_FOLDERS] if inside else [directory]:
            if not cwd.is_relative_to(path):
                yield from (f"{kind}(/{path}/**)" for kind in PATH_RULES)


def _servers(request: TaskRequest) -> dict[str, Any]:
    """Returns the request's MCP servers in the form of the CLI's configuration."""
    return {name: server.model_dump(exclude={"optional"}) for name, server in request.mcp_servers.items()}
