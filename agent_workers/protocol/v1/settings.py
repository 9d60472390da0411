"""The objects inside a request: its session, limits, stream and the application's tools."""

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, Tag
from pydantic_core import PydanticCustomError

from agent_workers.protocol.v1.content import by_shape
from agent_workers.protocol.v1.fields import (
    Dollars,
    Few,
    JsonObject,
    Label,
    Opt,
    PingSeconds,
    RunSeconds,
    SessionId,
    Strict,
    Text,
    ToolName,
    ToolReference,
)
from agent_workers.protocol.v1.tool_names import ASK_USER


class Subject(Strict):
    """What the run is about, among the application's own things."""

    synonyms: ClassVar = {"kind": "type", "name": "type", "key": "id", "uuid": "id"}

    type: Label = Field(description="What kind of thing it is, such as `partner`, `deal` or `project`.")
    id: Label = Field(description="Its id in the application.")


class ResumeSession(Strict):
    """Continue an earlier conversation."""

    foreign_fields: ClassVar = {"id": "cannot be combined with resume; send one of the two"}

    resume: SessionId = Field(
        description="Session id of the conversation, from an earlier `session` or `done` event of the same worker, "
        "with the same `cwd` and `session_owner`."
    )
    fork: bool = Field(
        default=False,
        description="Continue in a copy with a new session id and leave the original as it is; also while another run "
        "is at work in it.",
    )


class NewSession(Strict):
    """Begin a conversation under an id of the caller's choice."""

    foreign_fields: ClassVar = {"fork": "needs resume: only an existing conversation can be forked"}
    synonyms: ClassVar = {"session_id": "id", "uuid": "id"}

    id: SessionId = Field(description="Session id for the new conversation: a UUID that was never used before.")


def _session_kind(value: object) -> str | None:
    if isinstance(value, (ResumeSession, NewSession)):
        return f"={type(value).__name__}"
    if not isinstance(value, dict) or not value:
        return None
    if "id" not in value and any(str(name).startswith(("resume", "fork")) for name in value):
        return "=ResumeSession"
    return "=ResumeSession" if "resume" in value else "=NewSession"


class Limits(Strict):
    """What the run may use up before it is stopped."""

    synonyms: ClassVar = {
        "timeout": "timeout_s",
        "timeout_seconds": "timeout_s",
        "timeout_ms": "timeout_s",
        "idle_timeout": "idle_timeout_s",
        "budget": "max_budget_usd",
        "max_budget": "max_budget_usd",
    }

    timeout_s: RunSeconds = Field(
        default=300,
        description="Seconds the whole run may take; then it ends with `error` `timeout`. Time in which the worker was "
        "stopped (Ctrl-Z, `docker pause`) does not count, here and in all other limits.",
    )
    idle_timeout_s: RunSeconds = Field(
        default=120,
        description="Seconds the agent may stay silent while no tool runs and no question is open; then the run ends "
        "with `error` `idle_timeout`.",
    )
    max_budget_usd: Opt[Dollars] = Field(
        default=None,
        description="US dollars the run may cost; checked after each call of the API, so the last one may "
        "exceed it. No limit when absent.",
    )
    question_timeout_s: RunSeconds = Field(
        default=120,
        description="Seconds that a `question` waits for its `answer`; then the agent is told that nobody answered.",
    )


class Stream(Strict):
    """How the run reports."""

    synonyms: ClassVar = {"ping": "ping_s", "ping_seconds": "ping_s", "heartbeat": "ping_s"}

    partial: bool = Field(
        default=True,
        description="Send text as the model produces it; false: one `delta` for each finished block.",
    )
    ping_s: PingSeconds = Field(default=10, description="Seconds of silence after which a `ping` is sent.")
    tool_output: bool = Field(
        default=False, description="Send what tools print as `tool_output` events, while they print it."
    )


def _tool_schema(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("type") != "object":
        raise PydanticCustomError("contract", "{found}", {"found": 'must be a JSON Schema with "type": "object"'})
    return schema


class AppTool(Strict):
    """A tool that the calling application runs itself."""

    synonyms: ClassVar = {"parameters": "input_schema", "schema": "input_schema", "timeout": "timeout_s"}

    name: ToolName = Field(description="Name of the tool, unique within the request.")
    description: Text = Field(description="What the tool does and when to use it; written for the model.")
    input_schema: Annotated[JsonObject, AfterValidator(_tool_schema)] = Field(
        description='JSON Schema of the tool\'s input; its `type` is "object", and its references stay within it.',
        json_schema_extra={"properties": {"type": {"const": "object"}}, "required": ["type"]},
    )
    timeout_s: RunSeconds = Field(
        default=60, description="Seconds that a call waits for its `app_tool_result`; then it has failed."
    )


def _unique(tools: list[AppTool]) -> list[AppTool]:
    seen: set[str] = set()
    for tool in tools:
        if tool.name in seen:
            words = f"must have unique names; {tool.name!r} is the name of more than one"
            raise PydanticCustomError("contract", "{found}", {"found": words})
        seen.add(tool.name)
    return tools


def _chat_tool(name: str) -> str:
    if name != ASK_USER:
        words = f"must be {ASK_USER}, the one tool of a chat; agent-task, which needs engine agent, has the others"
        raise PydanticCustomError("contract", "{found}", {"found": words})
    return name


Session = Annotated[
    Annotated[ResumeSession, Tag("=ResumeSession")] | Annotated[NewSession, Tag("=NewSession")],
    by_shape(_session_kind, 'must be {"resume": …} to continue a session or {"id": …} to begin one'),
]
ChatTools = Few[Annotated[ToolReference, Field(json_schema_extra={"enum": [ASK_USER]}), AfterValidator(_chat_tool)]]
AppTools = Annotated[Few[AppTool], AfterValidator(_unique)]
