"""The terminal events: exactly one of them is a run's last line."""

from typing import Any, Literal

from pydantic import Field

from agent_workers.protocol.v1.body import Body
from agent_workers.protocol.v1.codes import ERROR_CODES, LANES, STOP_REASONS, USAGE_SCOPES, HttpStatus, grows, open_set
from agent_workers.protocol.v1.problem import Problem
from agent_workers.protocol.v1.subject import Subject
from agent_workers.protocol.v1.usage import Denial, ModelUsage, Money, Natural, PendingCall, Usage


class Done(Body):
    """The run ended with an answer. Terminal: the last line."""

    type: Literal["done"] = "done"
    stop_reason: str = open_set("Why the model stopped.", STOP_REASONS)
    text: str = Field(
        description="The final answer: all `delta` texts of it that were not discarded. Where a tool was run without a "
        "model: its result as text."
    )
    output: Any = Field(
        default=None,
        description="JSON value that satisfies the request's `output_schema`. Absent without one. Where a tool was run "
        "without a model: its result as JSON, structured where the tool gave that, else a list of the parts of its "
        "answer; absent where it is longer than 128 KiB.",
    )
    session_id: str | None = Field(
        default=None,
        description="Id of the conversation; send it as `session.resume` to continue. Absent where the conversation "
        "was not saved.",
    )
    usage: Usage = Field(description="Tokens that the run consumed; `usage_scope` says in which calls.")
    usage_scope: str | None = Field(
        default=None,
        description="Whose calls of the API `usage` counts. `all`: each of the run's, those of subagents and the "
        "agent's helper calls included, as `models` and `cost_usd` do. `main_agent`: without these. Absent where no "
        f"model was asked. {grows(USAGE_SCOPES)}",
        examples=USAGE_SCOPES,
    )
    cost_usd: Money | None = Field(
        default=None,
        description="Estimated price of the run in US dollars, over all models, subagents and helper calls included: "
        "what its tokens come to by the price list of the engine. Not a bill. Absent when unknown.",
    )
    duration_ms: Natural = Field(description="Milliseconds from the request to this event.")
    turns: Natural = Field(description="How often the model was called; 0 where only a tool was run.")
    models: dict[str, ModelUsage] | None = Field(
        default=None, description="Consumption by model name. Absent when unknown."
    )
    denials: list[Denial] | None = Field(
        default=None, description="Tool calls that were not allowed. Absent when there were none."
    )
    pending: PendingCall | None = Field(
        default=None,
        description="The tool call that waits for a decision, where `stop_reason` is `permission_required`. "
        "Absent otherwise.",
    )
    metadata: dict[str, Any] | None = Field(
        default=None, description="The request's `metadata`. Absent when it had none."
    )
    subject: Subject | None = Field(default=None, description="The request's `subject`. Absent when it had none.")
    user: str | None = Field(default=None, description="The request's `user`. Absent when it had none.")
    goal: str | None = Field(default=None, description="The request's `goal`. Absent when it had none.")
    skill: str | None = Field(default=None, description="Name of the skill. Absent where none runs.")
    skill_version: str | None = Field(default=None, description="Its version. Absent where it has none.")
    needs_review: bool | None = Field(
        default=None,
        description="Whether a person should look at the output, since the model is not sure enough of it. Absent "
        "where the skill does not ask for that.",
    )
    lane: str | None = open_set(
        "How a batch in the economy lane had it done. `economy`: by the provider's batch API, at half the price. "
        "`live`: at once. Absent for all other runs.",
        LANES,
        default=None,
    )


class Error(Body):
    """The run failed, or the request was refused. Terminal: the last line."""

    type: Literal["error"] = "error"
    code: str = open_set("What went wrong, for programs.", ERROR_CODES)
    message: str = Field(description="What went wrong, for people; safe to show to a user.")
    retryable: bool = Field(description="True when the same request may succeed later.")
    retry_after_ms: Natural | None = Field(
        default=None, description="Milliseconds to wait before trying again. Absent when unknown."
    )
    busy_ms: Natural | None = Field(
        default=None,
        description="With the code `session_busy`: for how many milliseconds the other run has been at work in the "
        "session. Absent for other errors, and when unknown.",
    )
    http_status: HttpStatus | None = Field(
        default=None, description="HTTP status of the API's response. Absent when there was none."
    )
    details: list[Problem] | None = Field(
        default=None,
        description="Every problem of a refused request, by its place there; with the code "
        "`output_schema`, what is wrong with a skill's output, by its place there. Absent for other errors.",
    )
    session_id: str | None = Field(
        default=None,
        description="Id of the conversation. Absent when the agent was not up yet, or the conversation was not saved.",
    )
    usage: Usage | None = Field(default=None, description="Tokens consumed until then. Absent when unknown.")
    cost_usd: Money | None = Field(
        default=None, description="Estimated price until then in US dollars. Absent when unknown."
    )
    metadata: dict[str, Any] | None = Field(
        default=None, description="The request's `metadata`. Absent when it had none."
    )
    subject: Subject | None = Field(default=None, description="The request's `subject`. Absent when it had none.")
    user: str | None = Field(default=None, description="The request's `user`. Absent when it had none.")
    goal: str | None = Field(default=None, description="The request's `goal`. Absent when it had none.")


class Aborted(Body):
    """The run was stopped from outside. Terminal: the last line."""

    type: Literal["aborted"] = "aborted"
    reason: Literal["client", "signal", "parent_gone"] = Field(
        description="`client`: an `abort` control message. `signal`: SIGTERM or SIGINT. `parent_gone`: stdin "
        "closed under --control."
    )
    session_id: str | None = Field(
        default=None,
        description="Id of the conversation. Absent when the agent was not up yet, or the conversation was not saved.",
    )
    usage: Usage | None = Field(default=None, description="Tokens consumed until then. Absent when unknown.")
    cost_usd: Money | None = Field(
        default=None, description="Estimated price until then in US dollars. Absent when unknown."
    )
    metadata: dict[str, Any] | None = Field(
        default=None, description="The request's `metadata`. Absent when it had none."
    )
    subject: Subject | None = Field(default=None, description="The request's `subject`. Absent when it had none.")
    user: str | None = Field(default=None, description="The request's `user`. Absent when it had none.")
    goal: str | None = Field(default=None, description="The request's `goal`. Absent when it had none.")
