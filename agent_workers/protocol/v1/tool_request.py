"""The tool worker's request: one call of a tool of an MCP server, made for a person."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Tag

from agent_workers.protocol.v1.content import by_shape
from agent_workers.protocol.v1.fields import (
    MCP_TOOL,
    SERVER_NAME,
    Attempt,
    Goal,
    JsonObject,
    Label,
    Opt,
    PingSeconds,
    RunId,
    RunSeconds,
    Strict,
    TraceParent,
    Version,
)
from agent_workers.protocol.v1.request import ATTEMPT, GOAL, SUBJECT, TRACEPARENT, USER, Metadata, Request
from agent_workers.protocol.v1.settings import Limits, Stream, Subject
from agent_workers.protocol.v1.task_request import HttpServer, StdioServer

_NO_MODEL = "is not a field of agent-tool: it runs a tool and asks no model"
_SHARED = {"v", "run", "limits", "stream", "metadata", "subject", "user", "goal", "attempt", "traceparent"}
_ServerName = Annotated[str, Field(pattern=SERVER_NAME)]
_NAME = "Name of the server. The call's events name the tool `mcp__server__tool`."
_OPTIONAL = "Means nothing here: a call needs its server."


class StdioToolServer(StdioServer):
    """An MCP server that the worker starts as a process, with its name."""

    name: _ServerName = Field(description=_NAME)
    optional: bool = Field(default=False, description=_OPTIONAL)


class HttpToolServer(HttpServer):
    """An MCP server that is reached by HTTP, with its name."""

    name: _ServerName = Field(description=_NAME)
    optional: bool = Field(default=False, description=_OPTIONAL)


class ToolLimits(Strict):
    """What the call may use up before it is stopped."""

    synonyms: ClassVar = Limits.synonyms
    foreign_fields: ClassVar = dict.fromkeys(("idle_timeout_s", "max_budget_usd", "question_timeout_s"), _NO_MODEL)

    timeout_s: RunSeconds = Field(
        default=300,
        description="Seconds that the server's start and the call may take together; then the run ends with `error` "
        "`timeout`.",
    )

    @property
    def idle_timeout_s(self) -> float:
        """A tool may be silent as long as it may run."""
        return self.timeout_s


class ToolStream(Strict):
    """How the run reports."""

    synonyms: ClassVar = Stream.synonyms
    foreign_fields: ClassVar = {"partial": _NO_MODEL}

    ping_s: PingSeconds = Field(default=10, description="Seconds of silence after which a `ping` is sent.")
    tool_output: bool = Field(
        default=False, description="Send the tool's progress as `tool_output` events, while it works."
    )


def _server_kind(value: object) -> str | None:
    if isinstance(value, (StdioToolServer, HttpToolServer)):
        return f"={type(value).__name__}"
    if not isinstance(value, dict):
        return None
    if "type" in value:
        return {"stdio": "=StdioToolServer", "http": "=HttpToolServer"}.get(str(value["type"]))
    return "=HttpToolServer" if "url" in value else "=StdioToolServer"


ToolServer = Annotated[
    Annotated[StdioToolServer, Tag("=StdioToolServer")] | Annotated[HttpToolServer, Tag("=HttpToolServer")],
    by_shape(_server_kind, 'must be {"name": …, "command": …} for a process or {"name": …, "type": "http", "url": …}'),
]


class ToolRequest(Strict):
    """Which tool of which MCP server is to run, and with what. No model is asked."""

    has_tools: ClassVar[Literal[False]] = False
    asks_model: ClassVar[bool] = False
    foreign_fields: ClassVar = {
        **dict.fromkeys(set(Request.model_fields) - _SHARED, _NO_MODEL),
        **dict.fromkeys(("tools", "permissions", "cwd", "agents"), "is a field of agent-task only"),
        "mcp_servers": "is a field of agent-task only; name one server as server",
    }
    synonyms: ClassVar = {
        **dict.fromkeys(("arguments", "args", "params", "parameters"), "input"),
        **dict.fromkeys(("name", "tool_name"), "tool"),
        **dict.fromkeys(("mcp", "mcp_server"), "server"),
        **dict.fromkeys(("timeout", "timeout_seconds", "timeout_ms"), "limits.timeout_s"),
        **dict.fromkeys(("run_id", "id"), "run"),
        **dict.fromkeys(("trace", "trace_context", "trace_id"), "traceparent"),
        "version": "v",
    }

    v: Version = Field(default=1, description="Version of the contract.")
    run: Opt[RunId] = Field(
        default=None, description="Id of the run, repeated in each of its events. A new UUID when absent."
    )
    server: ToolServer = Field(description="The server, as in `mcp_servers` of a task, with its `name`.")
    tool: Annotated[str, Field(pattern=MCP_TOOL)] = Field(description="Name of the tool, as the server lists it.")
    input: JsonObject = Field(
        default_factory=dict,
        description="What the tool is called with: an object that satisfies the schema that the server lists for it.",
    )
    limits: ToolLimits = Field(
        default_factory=ToolLimits, description="Bounds on time. Omitted fields keep their defaults."
    )
    stream: ToolStream = Field(
        default_factory=ToolStream,
        description="What is sent during the run. Omitted fields keep their defaults.",
    )
    metadata: Opt[Metadata] = Field(
        default=None,
        description="The caller's own data, at most 16384 bytes as compact UTF-8 JSON. Echoed in `start` and "
        "the terminal event, never shown to the tool.",
    )

    subject: Opt[Subject] = Field(default=None, description=SUBJECT)
    user: Opt[Label] = Field(default=None, description=USER)
    goal: Opt[Goal] = Field(default=None, description=GOAL)
    attempt: Attempt = Field(default=1, description=ATTEMPT)
    traceparent: Opt[TraceParent] = Field(default=None, description=TRACEPARENT)

    @property
    def tool_name(self) -> str:
        """The tool's name in events and in the host's policy, as an agent would call it."""
        return f"mcp__{self.server.name}__{self.tool}"
