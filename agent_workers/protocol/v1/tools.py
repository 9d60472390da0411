"""The CLI's built-in tools: what each one does, and what it is called with. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from agent_workers.protocol.v1.tool_names import ASK_USER, SUBAGENT

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["reads", "writes", "command", "web", "subagent", "asks"]

SHELL = "Bash"
WEB_FETCH = "WebFetch"

_NUMBER = (int, float)
# The CLI checks paths under two names, whatever the tool is called.
_PATH_RULES: Mapping[Kind, str] = {"reads": "Read", "writes": "Edit"}


@dataclass(frozen=True)
class BuiltInTool:
    """A tool that the CLI brings along.

    Attributes:
        name: As the model calls it, and as a request lists it.
        kind: Whether it reads files, writes files, runs a command, reaches the web, starts a subagent, or asks the
            user.
        telling: The parameters that say most about a call, most telling first.
        required: The parameters that each call has, each with its type or its values.
        optional: The parameters that a call may have.
        path: The parameter that says where a file tool works; without one it is the working directory.
        guarded: Whether the CLI runs some of its calls without a question, whatever the mode.
    """

    name: str
    kind: Kind
    telling: tuple[str, ...]
    required: Mapping[str, Any]
    optional: Mapping[str, Any] = field(default_factory=dict)
    path: str | None = None
    guarded: bool = False

    @property
    def path_rule(self) -> str | None:
        """The name under which the CLI's permission rules check the paths of a file tool; None for other tools."""
        return _PATH_RULES.get(self.kind)


# Tools of the CLI 2.1.329 that need neither a terminal nor an account's services, as it offers them to the model.
_TOOLS = (
    BuiltInTool(
        SUBAGENT,
        "subagent",
        telling=("description",),
        required={"description": str, "prompt": str},
        optional={
            "subagent_type": str,
            "model": frozenset({"sonnet", "opus", "haiku", "fable"}),
            "effort": frozenset({"low", "medium", "high", "xhigh", "max"}),
            "isolation": frozenset({"worktree", "remote"}),
        },
    ),
    BuiltInTool(ASK_USER, "asks", telling=("questions",), required={"questions": list}),
    BuiltInTool(
        SHELL,
        "command",
        telling=("command",),
        required={"command": str},
        optional={"timeout": _NUMBER, "description": str, "dangerouslyDisableSandbox": bool},
        guarded=True,
    ),
    BuiltInTool(
        "Edit",
        "writes",
        telling=("file_path",),
        required={"file_path": str, "old_string": str, "new_string": str},
        optional={"replace_all": bool},
        path="file_path",
    ),
    BuiltInTool(
        "Glob",
        "reads",
        telling=("pattern", "path"),
        required={"pattern": str},
        optional={"path": str},
        path="path",
    ),
    BuiltInTool(
        "Grep",
        "reads",
        telling=("pattern", "path", "glob"),
        required={"pattern": str},
        optional={
            **dict.fromkeys(("path", "glob", "type"), str),
            "output_mode": frozenset({"content", "files_with_matches", "count"}),
            **dict.fromkeys(("-A", "-B", "-C", "context", "head_limit", "offset"), _NUMBER),
            **dict.fromkeys(("-n", "-i", "-o", "multiline"), bool),
        },
        path="path",
    ),
    BuiltInTool(
        "NotebookEdit",
        "writes",
        telling=("notebook_path",),
        required={"notebook_path": str, "new_source": str},
        optional={
            "cell_id": str,
            "cell_type": frozenset({"code", "markdown"}),
            "edit_mode": frozenset({"replace", "insert", "delete"}),
        },
        path="notebook_path",
    ),
    BuiltInTool(
        "Read",
        "reads",
        telling=("file_path",),
        required={"file_path": str},
        optional={"offset": int, "limit": int, "pages": str, "allow_large": bool},
        path="file_path",
    ),
    BuiltInTool(
        WEB_FETCH,
        "web",
        telling=("url",),
        required={"url": str, "prompt": str},
        optional={"offset": int},
        guarded=True,
    ),
    BuiltInTool(
        "WebSearch",
        "web",
        telling=("query",),
        required={"query": str},
        optional={"allowed_domains": list, "blocked_domains": list},
    ),
    BuiltInTool(
        "Write",
        "writes",
        telling=("file_path",),
        required={"file_path": str, "content": str},
        path="file_path",
    ),
)

BUILT_IN_TOOLS: Mapping[str, BuiltInTool] = {tool.name: tool for tool in _TOOLS}
"""Every built-in tool by its name, in alphabetical order."""

PATH_RULES = tuple(_PATH_RULES.values())
"""The names under which permission rules check paths: the one for reading, the one for writing."""


def nearest_tool(name: str) -> str | None:
    """Returns the built-in tool that a mistyped name is nearest to, in whatever case; None where none is near."""
    from difflib import get_close_matches  # for a refused request only

    names = {tool.lower(): tool for tool in BUILT_IN_TOOLS}
    nearest = get_close_matches(name.lower(), names, n=1)
    return names[nearest[0]] if nearest else None


def path_rule_of(name: str) -> str | None:
    """Returns the name under which permission rules check the paths of this tool; None where it is no file tool."""
    tool = BUILT_IN_TOOLS.get(name)
    return tool.path_rule if tool else None
