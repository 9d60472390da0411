"""The skill worker's request: the name of a skill and its input."""

from typing import Any, ClassVar

from pydantic import Field

from agent_workers.protocol.v1.fields import (
    AbsolutePath,
    Attempt,
    Count,
    EngineName,
    Few,
    Goal,
    JsonObject,
    Label,
    ModelName,
    Opt,
    RunId,
    SessionOwner,
    SkillName,
    Strict,
    TraceParent,
    Version,
)
from agent_workers.protocol.v1.request import Metadata, Request
from agent_workers.protocol.v1.settings import AppTools, Limits, Session, Stream, Subject
from agent_workers.protocol.v1.task_request import McpServers, TaskRequest

_NOT_HERE = ("prompt", "system_prompt", "output_schema", "tools", "permissions", "agents")
_SKILLS_OWN = "is not a field of agent-skill: the skill says it itself"


def _as(model: type[Strict], name: str, **changes: Any) -> Any:
    """Makes a field that says the same as another request's."""
    found = model.model_fields[name]
    default: dict[str, Any] = (
        {"default_factory": found.default_factory} if found.default_factory else {"default": found.default}
    )
    return Field(**{**default, "description": found.description, **changes})


class SkillRequest(Strict):
    """Which skill is to run, and on what. The skill brings the instructions and the form of the answer."""

    has_tools: ClassVar[bool] = False
    asks_model: ClassVar[bool] = True
    foreign_fields: ClassVar = dict.fromkeys(_NOT_HERE, _SKILLS_OWN)
    synonyms: ClassVar = {
        **{name: field for name, field in TaskRequest.synonyms.items() if field.split(".")[0] not in _NOT_HERE},
        **dict.fromkeys(("data", "arguments", "args", "params", "message", "query"), "input"),
        **dict.fromkeys(("name", "skill_name"), "skill"),
    }

    v: Version = _as(Request, "v")
    run: Opt[RunId] = _as(Request, "run")
    skill: SkillName = Field(description="Name of the skill, as `agent-skill list` shows it.")
    input: JsonObject = Field(description="What it works on: an object that satisfies the skill's input schema.")
    subject: Opt[Subject] = _as(Request, "subject")
    user: Opt[Label] = _as(Request, "user")
    goal: Opt[Goal] = _as(Request, "goal")
    attempt: Attempt = _as(Request, "attempt")
    traceparent: Opt[TraceParent] = _as(Request, "traceparent")
    model: Opt[ModelName] = _as(Request, "model", description="Name of the model. The skill's own when absent.")
    fallback_model: Opt[ModelName] = _as(Request, "fallback_model")
    engine: Opt[EngineName] = _as(Request, "engine", description="What does the work. The skill's own when absent.")
    max_tokens: Opt[Count] = _as(Request, "max_tokens")
    max_turns: Opt[Count] = _as(
        Request,
        "max_turns",
        description="How often the model may be called. The skill's own when absent.",
    )
    thinking: bool = _as(Request, "thinking")
    session: Opt[Session] = _as(Request, "session")
    session_owner: Opt[SessionOwner] = _as(Request, "session_owner")
    limits: Limits = Field(
        default_factory=Limits, description="Bounds on time and money. Omitted fields are the skill's own."
    )
    stream: Stream = _as(Request, "stream")
    metadata: Opt[Metadata] = _as(Request, "metadata")
    app_tools: Opt[AppTools] = _as(Request, "app_tools")
    cwd: Opt[AbsolutePath] = Field(
        default=None, description="Working directory; needed by a skill with tools, and taken by such a one only."
    )
    add_dirs: Few[AbsolutePath] = _as(TaskRequest, "add_dirs")
    mcp_servers: McpServers = _as(TaskRequest, "mcp_servers")
