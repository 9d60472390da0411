"""The request: one JSON object, one run."""

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar

from pydantic import AfterValidator, Field, PrivateAttr, Tag, ValidationError
from pydantic_core import PydanticCustomError

from agent_workers.protocol.v1 import VERSION
from agent_workers.protocol.v1.content import ContentBlock, by_shape
from agent_workers.protocol.v1.fields import (
    RUN_ID,
    ArgumentText,
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
    Strict,
    Text,
    TraceParent,
    Version,
)
from agent_workers.protocol.v1.kind import is_tool_run
from agent_workers.protocol.v1.problem import Problem, RequestProblems, refuse
from agent_workers.protocol.v1.settings import (
    AppTool,
    AppTools,
    ChatTools,
    Limits,
    NewSession,
    ResumeSession,
    Session,
    Stream,
    Subject,
)
from agent_workers.protocol.v1.skill_use import SkillUse
from agent_workers.protocol.v1.subject import Subject as EchoedSubject
from agent_workers.protocol.value import Json

if TYPE_CHECKING:
    from typing import TypeAlias

    from agent_workers.protocol.v1.tool_request import ToolRequest

__all__ = [
    "MAX_METADATA_BYTES",
    "AppTool",
    "Limits",
    "NewSession",
    "Problem",
    "Request",
    "RequestProblems",
    "ResumeSession",
    "Stream",
    "parse_request",
]

MAX_METADATA_BYTES = 16 * 1024


def _prompt_kind(value: object) -> str | None:
    return "=text" if isinstance(value, str) else "=blocks" if isinstance(value, list) else None


def _small(metadata: dict[str, Any]) -> dict[str, Any]:
    size = len(json.dumps(metadata, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
    if size > MAX_METADATA_BYTES:
        words = f"must be at most {MAX_METADATA_BYTES} bytes as compact JSON, not {size}"
        raise PydanticCustomError("contract", "{found}", {"found": words})
    return metadata


_ECHOED = "Echoed in `start` and the terminal event"
SUBJECT = f"What the run is about, among the application's own things. {_ECHOED}, never shown to the model."
USER = f"For whom the application runs it, such as the id of a user. {_ECHOED}, never shown to the model."
ENGINE = (
    "What does the work. `agent`: an agent, with all that it can do. `messages`: the plain Messages API, in a fraction "
    "of the time and memory, without tools other than the application's. When absent, that of the "
    "session which it resumes; else the first that the host's policy names and that can do it; else `agent`."
)
GOAL = f"What the run is meant to achieve. {_ECHOED}; of a skill's request the model sees it, as data."
ATTEMPT = (
    "Which attempt of the run this is; set by what runs it. Echoed in `start` from 2 on. A later attempt begins anew: "
    "its events follow those of the lost one under the same `run`, and count from 1 again. 1 when absent."
)
TRACEPARENT = (
    "The W3C trace context that the run belongs to, of version 00. Echoed in `start`, never shown to the model."
)

Prompt = Annotated[
    Annotated[Text, Tag("=text")] | Annotated[Few[ContentBlock], Field(min_length=1), Tag("=blocks")],
    by_shape(_prompt_kind, "must be a string or a list of content blocks"),
]
Metadata = Annotated[JsonObject, AfterValidator(_small)]
_TASK_ONLY = "is a field of agent-task only, which needs engine agent"


class Request(Strict):
    """What one run is asked to do. Only `prompt` is required; unknown fields are refused."""

    has_tools: ClassVar[bool] = False
    """Whether the agent works in a directory, with all built-in tools, under permission rules."""
    asks_model: ClassVar[bool] = True
    """Whether a model is asked, and not only a tool run."""
    foreign_fields: ClassVar = dict.fromkeys(("permissions", "cwd", "add_dirs", "mcp_servers", "agents"), _TASK_ONLY)
    synonyms: ClassVar = {
        **dict.fromkeys(("message", "messages", "input", "query", "text", "content"), "prompt"),
        **dict.fromkeys(("system", "instructions", "system_message"), "system_prompt"),
        **dict.fromkeys(("timeout", "timeout_seconds", "timeout_ms"), "limits.timeout_s"),
        **dict.fromkeys(("budget", "max_budget"), "limits.max_budget_usd"),
        **dict.fromkeys(("schema", "json_schema", "output_format"), "output_schema"),
        **dict.fromkeys(("session_id", "resume", "conversation_id"), "session.resume"),
        **dict.fromkeys(("run_id", "id"), "run"),
        **dict.fromkeys(("owner", "user_id"), "session_owner"),
        **dict.fromkeys(("max_output_tokens", "max_tokens_to_sample"), "max_tokens"),
        **dict.fromkeys(("trace", "trace_context", "trace_id"), "traceparent"),
        "version": "v",
        "turns": "max_turns",
        "streaming": "stream.partial",
    }

    v: Version = Field(default=1, description="Version of the contract.")
    run: Opt[RunId] = Field(
        default=None, description="Id of the run, repeated in each of its events. A new UUID when absent."
    )
    prompt: Prompt = Field(description="What the user says: text, or a list of content blocks; not only blanks.")
    system_prompt: Opt[ArgumentText] = Field(
        default=None, description="Instructions for the model. The worker's own when absent."
    )
    model: Opt[ModelName] = Field(
        default=None,
        description="Name of the model. The CLI's default when absent; in a resumed session, the last one.",
    )
    fallback_model: Opt[ModelName] = Field(
        default=None, description="Model to use while the first one is overloaded. None when absent."
    )
    engine: Opt[EngineName] = Field(default=None, description=ENGINE)
    max_tokens: Opt[Count] = Field(
        default=None,
        description="Tokens that one answer of the model may have; with `engine` `messages` only. As many as the model "
        "can give when absent.",
    )
    max_turns: Opt[Count] = Field(
        default=None,
        description="How often the model may be called before the run ends. The worker's own when absent.",
    )
    thinking: bool = Field(default=False, description="Send the model's thinking as `thinking` events.")
    session: Opt[Session] = Field(
        default=None, description="Conversation to continue or to begin. A new one with a new id when absent."
    )
    session_owner: Opt[SessionOwner] = Field(
        default=None,
        description="Whose conversation it is, in the application's own words, such as the id of a user. A session can "
        "be resumed only with the owner that it began with; if it began without one, only without one.",
    )
    limits: Limits = Field(
        default_factory=Limits, description="Bounds on time and money. Omitted fields keep their defaults."
    )
    stream: Stream = Field(
        default_factory=Stream,
        description="What is sent during the run. Omitted fields keep their defaults.",
    )
    output_schema: Opt[JsonObject] = Field(
        default=None,
        description="JSON Schema that `done.output` will satisfy; its top level describes an object, and its "
        "references stay within it. Plain text only when absent.",
    )
    metadata: Opt[Metadata] = Field(
        default=None,
        description="The caller's own data, at most 16384 bytes as compact UTF-8 JSON. Echoed in `start` and "
        "the terminal event, never shown to the model.",
    )
    subject: Opt[Subject] = Field(default=None, description=SUBJECT)
    user: Opt[Label] = Field(default=None, description=USER)
    goal: Opt[Goal] = Field(default=None, description=GOAL)
    attempt: Attempt = Field(default=1, description=ATTEMPT)
    traceparent: Opt[TraceParent] = Field(default=None, description=TRACEPARENT)
    tools: ChatTools = Field(
        default_factory=list,
        description="`AskUserQuestion` lets the agent ask the user, by `question` events; needs --control or "
        "--interactive. Nothing else is a tool of a chat.",
    )
    app_tools: Opt[AppTools] = Field(
        default=None,
        description="Tools that the application runs itself, with unique names. Needs --control.",
    )

    _skill: SkillUse | None = PrivateAttr(default=None)

    @property
    def skill_use(self) -> SkillUse | None:
        """The skill that the request was made of; None for a request that a caller wrote itself."""
        return self._skill

    def of_skill(self, skill: SkillUse) -> Self:
        """Notes the skill that the request was made of; returns the request."""
        self._skill = skill
        return self


if TYPE_CHECKING:
    AnyRequest: TypeAlias = "Request | ToolRequest"


R = TypeVar("R", bound=Strict)


def echo_of(request: "AnyRequest") -> dict[str, Any]:
    """Returns the fields of the request that ``start`` and the terminal event repeat."""
    subject = request.subject and EchoedSubject(type=request.subject.type, id=request.subject.id)
    fields = {"metadata": request.metadata, "subject": subject, "user": request.user, "goal": request.goal}
    return {name: value for name, value in fields.items() if value is not None}


def told_at_start(request: "AnyRequest") -> dict[str, Any]:
    """Returns the fields of the request that ``start`` repeats, those of its skill among them."""
    own: dict[str, Any] = {"attempt": request.attempt} if request.attempt > 1 else {}
    if request.traceparent is not None:
        own["traceparent"] = request.traceparent
    return {**echo_of(request), **skill_of(request), **own}


def skill_of(request: "AnyRequest") -> dict[str, str]:
    """Returns what ``start`` and ``done`` tell of the request's skill."""
    if is_tool_run(request) or not (use := request.skill_use):
        return {}
    return {"skill": use.name, **({"skill_version": use.version} if use.version else {})}


def parse_request(document: Json, model: type[R] = Request) -> R:  # type: ignore[assignment]  # R may be any
    """Reads a decoded JSON document as a request.

    Raises:
        RequestProblems: With all faults at once; ``unsupported_version`` alone where ``v`` names another version.
    """
    if not isinstance(document, dict):
        refuse('the request must be a JSON object, such as {"prompt": "Hello"}')
    run = _run_of(document)
    version = document.get("v", VERSION)
    if isinstance(version, (int, float)) and not isinstance(version, bool) and version != VERSION:
        words = f"must be {VERSION}: this worker speaks no other version of the contract"
        raise RequestProblems([Problem(pointer="/v", message=words)], code="unsupported_version", run=run)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        from agent_workers.protocol.v1.explain import explain  # paid for only by a refused request

        raise RequestProblems(explain(error, model), run=run) from None


def _run_of(document: dict[str, Any]) -> str | None:
    run = document.get("run")
    return run if isinstance(run, str) and re.fullmatch(RUN_ID, run) else None
