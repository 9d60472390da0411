"""Events about the run itself, other than its end."""

from typing import Annotated, Any, Literal

from pydantic import Field

from agent_workers.protocol.v1.body import Body
from agent_workers.protocol.v1.codes import ACK_CODES, ENGINES, ERROR_CODES, WARMTHS, HttpStatus, grows, open_set
from agent_workers.protocol.v1.subject import Subject
from agent_workers.protocol.v1.usage import Natural


class Start(Body):
    """First event of every accepted request, sent before the agent is up."""

    type: Literal["start"] = "start"
    worker: str = Field(description="Name of the worker's command, such as `agent-chat`.")
    worker_version: str = Field(description="Version of agent-workers.")
    sdk_version: str = Field(description="Version of the agent SDK.")
    simulated: bool = Field(description="True when answers come from a simulator or a recording, not from a model.")
    engine: str | None = open_set(
        "What does the work, as the request's `engine`. Absent where no model is asked.", ENGINES, default=None
    )
    warm: str | None = open_set(
        "What a pool served the run with. `live`: the agent of the same conversation, kept since its last answer. "
        "`warm`: an agent that was started ahead. `cold`: an agent started for this request. The answer does not "
        "depend on it. Absent where the worker was started by its caller.",
        WARMTHS,
        default=None,
    )
    metadata: dict[str, Any] | None = Field(
        default=None, description="The request's `metadata`. Absent when it had none."
    )
    subject: Subject | None = Field(default=None, description="The request's `subject`. Absent when it had none.")
    user: str | None = Field(default=None, description="The request's `user`. Absent when it had none.")
    goal: str | None = Field(default=None, description="The request's `goal`. Absent when it had none.")
    skill: str | None = Field(default=None, description="Name of the skill. Absent where none runs.")
    skill_version: str | None = Field(default=None, description="Its version. Absent where it has none.")
    attempt: Annotated[int, Field(ge=2)] | None = Field(
        default=None,
        description="Which attempt of the run begins, where an earlier one was lost: forget what came of that one, for "
        "this one begins anew, and its `seq` counts from 1. Absent in the first attempt.",
    )
    traceparent: str | None = Field(default=None, description="The request's `traceparent`. Absent when it had none.")


class Session(Body):
    """The agent is up."""

    type: Literal["session"] = "session"
    session_id: str = Field(description="Id of the conversation; send it as `session.resume` to continue.")
    model: str = Field(description="Name of the model in use.")
    cli_version: str = Field(description="Version of the agent's CLI; `none` with the engine `messages`.")
    tools: list[str] = Field(description="Names of the tools that the model may call.")
    resumed: bool = Field(description="True when an earlier conversation goes on.")


class Retry(Body):
    """A call of the API failed and will be tried again."""

    type: Literal["retry"] = "retry"
    attempt: Natural = Field(description="Number of the coming attempt, from 1.")
    max_attempts: Natural = Field(description="How many attempts will be made at most.")
    delay_ms: Natural = Field(description="Milliseconds until the attempt.")
    http_status: HttpStatus | None = Field(
        default=None, description="HTTP status of the failed call. Absent when there was no response."
    )
    code: str = open_set("Why the call failed, out of the codes of `error`.", ERROR_CODES)


class Notice(Body):
    """Something worth knowing that does not end the run."""

    type: Literal["notice"] = "notice"
    level: Literal["info", "warning"] = Field(description="How much it matters.")
    code: str = Field(description="What it is, for programs. An open set.")
    message: str = Field(description="What it is, for people.")


class Ping(Body):
    """The run is alive but has nothing to say."""

    type: Literal["ping"] = "ping"
    idle_ms: Natural = Field(description="Milliseconds since the last event that was not a ping.")


class Ack(Body):
    """Answer to a control message."""

    type: Literal["ack"] = "ack"
    id: str = Field(description="Id of the control message.")
    ok: bool = Field(description="True when the message took effect; false when it changed nothing.")
    code: str | None = Field(
        default=None,
        description=f"Why the message changed nothing; absent when it took effect. {grows(ACK_CODES)}",
        examples=ACK_CODES,
    )
