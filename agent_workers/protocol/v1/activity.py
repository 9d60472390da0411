"""Events about what the model says and does."""

from typing import Annotated, Any, Literal

from pydantic import Field

from agent_workers.protocol.v1.body import Body
from agent_workers.protocol.v1.codes import DISCARD_REASONS, TASK_STATUSES, open_set
from agent_workers.protocol.v1.part import Part
from agent_workers.protocol.v1.usage import Natural

Deadline = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
_SIGNATURE = "The application's signature of the decision, as the control message bears it. Absent where it bears none."
_ACTOR = "Who did it, as the control message's `actor` says. Absent where it says nothing."


class Delta(Body):
    """Text for the user, as the model produces it. Concatenated, the deltas are the answer."""

    type: Literal["delta"] = "delta"
    text: str = Field(description="Next piece of the text; append it unchanged.")
    block: Natural = Field(
        description="Number of the block of text that the piece belongs to. Grows within the run, with gaps: "
        "blocks that show nothing to the user are numbered too."
    )

    def to_wire(self) -> dict[str, Any]:
        """Returns the body as a JSON object; written out because thousands of these pass in a second."""
        if self.truncated_bytes is not None:
            return super().to_wire()
        return {"type": "delta", "text": self.text, "block": self.block}


class Thinking(Body):
    """A piece of the model's thinking; only sent if the request asked for it."""

    type: Literal["thinking"] = "thinking"
    text: str = Field(description="Next piece of the thinking; append it unchanged.")
    block: Natural = Field(description="Number of the block that the piece belongs to; counted together with `delta`.")


class Discard(Body):
    """Text that was already sent is superseded: drop it, a new version follows."""

    type: Literal["discard"] = "discard"
    blocks: list[Natural] = Field(description="Numbers of the blocks whose text is to be dropped, as in `delta`.")
    reason: str = open_set("Why.", DISCARD_REASONS)


class ToolCall(Body):
    """The model calls a tool that the worker runs."""

    type: Literal["tool_call"] = "tool_call"
    tool_use_id: str = Field(description="Id of the call; its `tool_result` bears the same.")
    name: str = Field(description="Name of the tool.")
    input: dict[str, Any] = Field(description="What the tool is called with; its shape is the tool's own.")
    parent_tool_use_id: str | None = Field(
        default=None,
        description="Id of the call that started the subagent which makes this one. Absent at top level.",
    )


class ToolOutput(Body):
    """What a tool prints while it runs; only sent if the request asked for it. The whole result still follows."""

    type: Literal["tool_output"] = "tool_output"
    tool_use_id: str = Field(description="Id of the call, as in `tool_call`.")
    stream: Literal["stdout", "stderr"] = Field(
        description="Where the tool printed it. `stdout` also for the stderr of `Bash`, whose streams are one, in the "
        "order in which they were written, as in its result."
    )
    text: str = Field(
        description="Next piece of what it printed, unchanged: with carriage returns and the codes of colours. Absent "
        "bytes are counted by `truncated_bytes`: from 1 MiB a call on nothing more is sent."
    )


class ToolResult(Body):
    """A tool call ended."""

    type: Literal["tool_result"] = "tool_result"
    tool_use_id: str = Field(description="Id of the call, as in `tool_call`.")
    status: Literal["ok", "error", "denied"] = Field(
        description="`ok`: it worked. `error`: the tool failed. `denied`: it was not allowed to run."
    )
    content: str = Field(description="The result as text; parts that are no text are named in square brackets.")
    parent_tool_use_id: str | None = Field(
        default=None,
        description="Id of the call that started the subagent which made this one. Absent at top level.",
    )
    retryable: bool | None = Field(
        default=None, description="Whether the same call may succeed later. Absent when unknown, and without an error."
    )
    replayed: bool | None = Field(
        default=None,
        description="True when the application answered from its record of an earlier attempt, and ran nothing. "
        "Absent otherwise.",
    )


class PermissionRequest(Body):
    """A tool call waits for the user's consent: answer by a `permission` control message."""

    type: Literal["permission_request"] = "permission_request"
    permission_id: str = Field(description="Id of this question; the answer bears the same.")
    tool_use_id: str = Field(description="Id of the call, as in `tool_call`.")
    name: str = Field(description="Name of the tool.")
    input: dict[str, Any] = Field(description="What the tool would be called with; its shape is the tool's own.")
    reason: str | None = Field(default=None, description="Why consent is needed. Absent when not known.")
    expires_at: Deadline = Field(description="RFC 3339 time in UTC. No answer until then means deny.")


class PermissionResolved(Body):
    """A `permission_request` is settled."""

    type: Literal["permission_resolved"] = "permission_resolved"
    permission_id: str = Field(description="Id of the question, as in `permission_request`.")
    behavior: Literal["allow", "deny"] = Field(description="What was decided.")
    by: Literal["client", "timeout", "policy", "abort"] = Field(
        description="`client`: a control message. `timeout`: no answer in time. `policy`: the changed input does "
        "not fit the tool, or a deny rule forbids it. `abort`: the run was stopped."
    )
    actor: str | None = Field(default=None, description=_ACTOR)
    signature: str | None = Field(default=None, description=_SIGNATURE)


class QuestionOption(Part):
    """An answer that the agent offers."""

    label: str = Field(description="The answer in a few words; send it back as it is.")
    description: str | None = Field(default=None, description="What it means. Absent when the agent gave none.")


class QuestionItem(Part):
    """One question of several that are asked together."""

    question: str = Field(description="The question; its answer bears it as its key.")
    header: str | None = Field(default=None, description="A title of a word or two. Absent when the agent gave none.")
    options: list[QuestionOption] = Field(description="The answers that are offered; a text of one's own is one too.")
    multi: bool = Field(description="True when more than one option may be chosen.")


class Question(Body):
    """The agent asks the user something: answer by an `answer` control message."""

    type: Literal["question"] = "question"
    question_id: str = Field(description="Id of this question; the answer bears the same.")
    tool_use_id: str = Field(description="Id of the call of the tool `AskUserQuestion`, as in `tool_call`.")
    questions: list[QuestionItem] = Field(description="What is asked, to be answered together.")
    expires_at: Deadline = Field(
        description="RFC 3339 time in UTC. Without an answer by then the agent is told that nobody answered."
    )


class QuestionResolved(Body):
    """A `question` is settled."""

    type: Literal["question_resolved"] = "question_resolved"
    question_id: str = Field(description="Id of the question, as in `question`.")
    by: Literal["client", "timeout", "abort"] = Field(
        description="`client`: a control message. `timeout`: no answer in time. `abort`: the run was stopped."
    )
    actor: str | None = Field(default=None, description=_ACTOR)
    signature: str | None = Field(default=None, description=_SIGNATURE)


class Steered(Body):
    """A `steer` control message went in: the agent has read it."""

    type: Literal["steered"] = "steered"
    id: str = Field(description="Id of the control message.")
    actor: str | None = Field(default=None, description=_ACTOR)


class AppToolCall(Body):
    """The model calls a tool of the application; the run waits for an `app_tool_result` control message."""

    type: Literal["app_tool_call"] = "app_tool_call"
    call_id: str = Field(description="Id of the call; the answer bears the same.")
    name: str = Field(description="Name of the tool, as in the request's `app_tools`.")
    input: dict[str, Any] = Field(description="What the tool is called with; it was written by the model, so check it.")
    expires_at: Deadline = Field(description="RFC 3339 time in UTC. Without an answer by then the call has failed.")
    tool_use_id: str | None = Field(
        default=None, description="Id of the call, as in `tool_call` and `tool_result`. Absent when not known."
    )
    effect_key: str | None = Field(
        default=None,
        description="Names this call's effect: the same in each attempt of the run (the same `run` sent again) for the "
        "same tool, the same input and the how-manyth such call it is. Keep the result under it, or pass it on as an "
        "idempotency key, and a retried run does nothing twice.",
    )


class Task(Body):
    """News of a subagent or of background work."""

    type: Literal["task"] = "task"
    task_id: str = Field(description="Id of the task; the same in all of its events.")
    status: str = open_set("What happened.", TASK_STATUSES)
    description: str = Field(description="What the task is about, for people.")
    tool_use_id: str | None = Field(
        default=None, description="Id of the tool call that started the task. Absent when not known."
    )
