"""The task worker's request: an agent with tools in a working directory."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, Tag
from pydantic_core import PydanticCustomError

from agent_workers.protocol.v1.content import by_shape
from agent_workers.protocol.v1.control import Actor, Answers, Behavior, DenialMessage, UpdatedInput
from agent_workers.protocol.v1.fields import (
    NO_VARIABLE,
    PATTERN_WORDS,
    SERVER_NAME,
    VARIABLE_NAME,
    AbsolutePath,
    ArgumentText,
    Few,
    Fixed,
    ModelName,
    Opt,
    RunSeconds,
    Strict,
    Text,
    ToolReference,
    ToolRule,
    WebAddress,
)
from agent_workers.protocol.v1.request import Request
from agent_workers.protocol.v1.tool_names import APP_SERVER
from agent_workers.protocol.v1.tools import BUILT_IN_TOOLS

_HEADER = r"^[!#$%&'*+.^_`|~A-Za-z0-9-]{1,255}$"  # RFC 9110, section 5.6.2

Mode = Literal["deny", "ask", "defer", "accept_edits", "plan"]


class Decision(Strict):
    """The answer to the call that an earlier run in mode `defer` left pending."""

    synonyms: ClassVar = {"permission_id": "tool_use_id", "id": "tool_use_id"}

    tool_use_id: Text = Field(description="Id of the call, from `pending` of that run's `done`.")
    behavior: Behavior
    message: DenialMessage = None
    updated_input: UpdatedInput = None
    answers: Opt[Answers] = None
    actor: Actor = None


class Permissions(Strict):
    """What the agent may do, and who is asked. A deny rule beats an allow rule."""

    synonyms: ClassVar = {"timeout": "timeout_s", "allowed_tools": "allow", "disallowed_tools": "deny"}

    mode: Mode = Field(
        default="deny",
        description="What happens to a call that no rule covers. `deny`: it is denied. `ask`: a "
        "`permission_request` waits for the answer; needs --control or --interactive. `defer`: the run ends with "
        "`stop_reason` `permission_required`, and a later one brings the `decision`. `accept_edits`: edits below "
        "the working directories are allowed, also by commands such as mkdir, and the rest is denied. `plan`: the "
        "agent reads and plans, and does what a rule allows.",
    )
    allow: Few[ToolRule] = Field(
        default_factory=list,
        description="Calls that are allowed without a question: a tool, such as `WebSearch`, or a tool with a "
        "specifier, such as `Bash(git status)`, `Bash(npm run:*)` or `Edit(src/**)`, or `mcp__server__tool`. "
        "A file tool without a path means the files below the working directories. In mode `defer` whole tools only.",
    )
    deny: Few[ToolRule] = Field(default_factory=list, description="Calls that are denied whatever else is said.")
    timeout_s: RunSeconds = Field(
        default=120, description="Seconds that a question waits for its answer in mode `ask`; then it is denied."
    )
    decision: Opt[Decision] = Field(
        default=None,
        description="Answer to the call that is pending in the session to resume; mode `defer` only, and from the "
        "same `cwd`. It counts once. Without a decision, mode `defer` denies the call, and another mode decides on it.",
    )


def _fixed(address: str) -> str:
    if not re.fullmatch(NO_VARIABLE, address):
        raise PydanticCustomError("contract", "{found}", {"found": PATTERN_WORDS[NO_VARIABLE]})
    return address


def _all_match(names: dict[str, str], pattern: str, kind: str) -> dict[str, str]:
    for name in names:
        if not re.fullmatch(pattern, name):
            words = f"{name[:80]!r} is not a valid {kind} name"
            raise PydanticCustomError("contract", "{found}", {"found": words})
    return names


def _variables(env: dict[str, str]) -> dict[str, str]:
    return _all_match(env, VARIABLE_NAME, "variable")


def _headers(headers: dict[str, str]) -> dict[str, str]:
    return _all_match(headers, _HEADER, "header")


class StdioServer(Strict):
    """An MCP server that the agent starts as a process."""

    type: Literal["stdio"] = Field(default="stdio", description="Kind of server.")
    command: Annotated[Fixed, Field(min_length=1)] = Field(description="Program to start.")
    args: Few[Fixed] = Field(default_factory=list, description="Its arguments.")
    env: Annotated[
        dict[str, Fixed],
        Field(json_schema_extra={"propertyNames": {"pattern": VARIABLE_NAME}}),
        AfterValidator(_variables),
    ] = Field(default_factory=dict, description="Variables to add to its environment.")
    optional: bool = Field(
        default=False,
        description="If true and the server does not start or answer, the run goes on with a `notice` `mcp_failed`. If "
        "false, it ends with `error` `mcp_unavailable` where `tools` names a tool of the server.",
    )


class HttpServer(Strict):
    """An MCP server that is reached by HTTP."""

    type: Literal["http"] = Field(default="http", description="Kind of server.")
    url: Annotated[WebAddress, AfterValidator(_fixed)] = Field(description="Its address.")
    headers: Annotated[
        dict[str, Fixed],
        Field(json_schema_extra={"propertyNames": {"pattern": _HEADER}}),
        AfterValidator(_headers),
    ] = Field(default_factory=dict, description="Headers to send with each request.")
    optional: bool = Field(
        default=False,
        description="If true and the server does not start or answer, the run goes on with a `notice` `mcp_failed`. If "
        "false, it ends with `error` `mcp_unavailable` where `tools` names a tool of the server.",
    )


class Agent(Strict):
    """A subagent that the agent may call upon, through the tool `Agent`."""

    synonyms: ClassVar = {"system_prompt": "prompt", "instructions": "prompt"}

    description: Text = Field(description="When to call upon it; written for the model.")
    prompt: ArgumentText = Field(description="Its instructions.")
    tools: Opt[Few[ToolReference]] = Field(
        default=None, description="The tools it may use, out of the request's `tools`. All of these when absent."
    )
    model: Opt[ModelName] = Field(default=None, description="Name of its model. The agent's own when absent.")


def _server_kind(value: object) -> str | None:
    if isinstance(value, (StdioServer, HttpServer)):
        return f"={type(value).__name__}"
    if not isinstance(value, dict):
        return None
    if value.get("type") in ("stdio", "http"):
        return "=HttpServer" if value["type"] == "http" else "=StdioServer"
    return None if "type" in value else "=HttpServer" if "url" in value else "=StdioServer"


def _named(value: dict[str, Any]) -> dict[str, Any]:
    for name in value:
        if not re.fullmatch(SERVER_NAME, name):
            words = f"{name[:80]!r} is not a valid name: use up to 64 of A-Z a-z 0-9 - and single _ between them"
            raise PydanticCustomError("contract", "{found}", {"found": words})
    return value


def _not_ours(servers: dict[str, Any]) -> dict[str, Any]:
    if APP_SERVER in servers:
        words = f"{APP_SERVER!r} is a reserved name: that server holds `app_tools`"
        raise PydanticCustomError("contract", "{found}", {"found": words})
    return servers


McpServer = Annotated[
    Annotated[StdioServer, Tag("=StdioServer")] | Annotated[HttpServer, Tag("=HttpServer")],
    by_shape(_server_kind, 'must be {"command": …} for a process or {"type": "http", "url": …} for an address'),
]
_NAMES = {"propertyNames": {"pattern": SERVER_NAME}, "maxProperties": 100}
McpServers = Annotated[
    dict[str, McpServer],
    Field(max_length=100, json_schema_extra=_NAMES),
    AfterValidator(_named),
    AfterValidator(_not_ours),
]
Agents = Annotated[dict[str, Agent], Field(max_length=100, json_schema_extra=_NAMES), AfterValidator(_named)]


def tools_of(rule: str, tools: Sequence[str]) -> list[str]:
    """Returns the tools that a rule covers: the one of its name, or all of the MCP server that it names."""
    name = rule.partition("(")[0]
    return [tool for tool in tools if name in (tool, "__".join(tool.split("__")[:2]))]


class TaskRequest(Request):
    """What one run of the task worker is asked to do. Only `prompt` and `cwd` are required."""

    has_tools: ClassVar[bool] = True
    foreign_fields: ClassVar = {}
    synonyms: ClassVar = {
        **Request.synonyms,
        **dict.fromkeys(("working_directory", "workdir", "dir", "directory", "path"), "cwd"),
        **dict.fromkeys(("permission_mode", "mode"), "permissions.mode"),
        **dict.fromkeys(("allowed_tools", "allow"), "permissions.allow"),
        **dict.fromkeys(("disallowed_tools", "deny"), "permissions.deny"),
        **dict.fromkeys(("subagents",), "agents"),
        **dict.fromkeys(("mcp", "servers"), "mcp_servers"),
    }

    cwd: AbsolutePath = Field(
        description="Directory in which the agent works. It must exist, and the worker must be able to read it."
    )
    add_dirs: Few[AbsolutePath] = Field(
        default_factory=list, description="Further directories in which the agent may work."
    )
    tools: Few[ToolReference] = Field(
        default_factory=list,
        description=f"The tools that the agent has: {', '.join(f'`{name}`' for name in BUILT_IN_TOOLS)}, and "
        "`mcp__server__tool` of a server in `mcp_servers`. None when absent. Whether a call may run is said by "
        "`permissions`; `AskUserQuestion`, by which the agent asks the user, runs in each mode and needs --control or "
        "--interactive, but in mode `defer`.",
    )
    permissions: Permissions = Field(
        default_factory=Permissions, description="What the agent may do. Omitted fields keep their defaults."
    )
    mcp_servers: McpServers = Field(default_factory=dict, description="MCP servers by name.")
    agents: Agents = Field(default_factory=dict, description="Subagents by name. Need the tool `Agent`.")
