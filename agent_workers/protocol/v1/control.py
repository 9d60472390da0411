"""Control messages: what the caller sends on stdin while a run goes on."""

from typing import Annotated, Any, Literal

from pydantic import Field, Tag, ValidationError

from agent_workers.protocol.document import parse_json
from agent_workers.protocol.v1.content import ResultBlock, by_shape
from agent_workers.protocol.v1.fields import Few, JsonObject, Opt, Strict, Text
from agent_workers.protocol.v1.problem import Problem, RequestProblems

_MAX_ID = 128
_MAX_ACTOR = 128
_MAX_SIGNATURE = 512
_MAX_ANSWER = 10_000
_MAX_SHOWN_PROBLEMS = 3

MessageId = Annotated[str, Field(min_length=1, max_length=_MAX_ID)]
PendingId = Annotated[str, Field(min_length=1, max_length=_MAX_ID)]


def _content_kind(value: object) -> str | None:
    return "=text" if isinstance(value, str) else "=blocks" if isinstance(value, list) else None


ToolContent = Annotated[
    Annotated[str, Tag("=text")] | Annotated[Few[ResultBlock], Tag("=blocks")],
    by_shape(_content_kind, "must be a string or a list of text and image blocks"),
]

Behavior = Annotated[Literal["allow", "deny"], Field(description="The decision.")]
DenialMessage = Annotated[Opt[str], Field(description="What to tell the model on a denial. Ignored with `allow`.")]
UpdatedInput = Annotated[
    Opt[JsonObject],
    Field(
        description="Input to run the tool with in place of the model's; the model's own when absent. It must not be "
        "empty. If it does not fit the tool, or a deny rule forbids it, the call is denied. Ignored with `deny`."
    ),
]


Actor = Annotated[
    Opt[Annotated[str, Field(min_length=1, max_length=_MAX_ACTOR)]],
    Field(
        description="Who sends this, in the application's own words, such as the id of a user; told on in the event "
        "that settles it."
    ),
]
Signature = Annotated[
    Opt[Annotated[str, Field(min_length=1, max_length=_MAX_SIGNATURE)]],
    Field(
        description="The application's signature of this decision, in its own form; told on in the event that settles "
        "it. The worker does not read it."
    ),
]
AnswerText = Annotated[str, Field(min_length=1, max_length=_MAX_ANSWER)]


def _answer_kind(value: object) -> str | None:
    return "=one" if isinstance(value, str) else "=many" if isinstance(value, list) else None


Answers = Annotated[
    dict[
        str,
        Annotated[
            Annotated[AnswerText, Tag("=one")] | Annotated[Few[AnswerText], Field(min_length=1), Tag("=many")],
            by_shape(_answer_kind, "must be a string, or a list of strings where several were chosen"),
        ],
    ],
    Field(
        min_length=1,
        json_schema_extra={"minProperties": 1},
        description="The answer to each question by its text: the label of an option, a text of one's own, or a list "
        "of these where `multi` is true.",
    ),
]


class Abort(Strict):
    """Stop the run; it ends with `aborted`."""

    type: Literal["abort"] = Field(description="Kind of message.")
    id: MessageId = Field(description="Id of this message, of the caller's choice; the `ack` bears the same.")


class Permission(Strict):
    """Answer a `permission_request`."""

    type: Literal["permission"] = Field(description="Kind of message.")
    id: MessageId = Field(description="Id of this message, of the caller's choice; the `ack` bears the same.")
    permission_id: PendingId = Field(description="Id of the question, from `permission_request`.")
    behavior: Behavior
    message: DenialMessage = None
    updated_input: UpdatedInput = None
    actor: Actor = None
    signature: Signature = None


class AppToolResult(Strict):
    """Answer an `app_tool_call`."""

    type: Literal["app_tool_result"] = Field(description="Kind of message.")
    id: MessageId = Field(description="Id of this message, of the caller's choice; the `ack` bears the same.")
    call_id: PendingId = Field(description="Id of the call, from `app_tool_call`.")
    content: ToolContent = Field(
        description="The tool's result: a string, or a list of text and base64 image blocks. Send any other "
        "JSON value encoded as a string."
    )
    is_error: bool = Field(default=False, description="True when the tool failed; `content` then says why.")
    retryable: Opt[bool] = Field(
        default=None, description="Whether the same call may succeed later; told on in `tool_result`."
    )
    replayed: bool = Field(
        default=False,
        description="True when the result comes from the record of an earlier attempt; told on in `tool_result`.",
    )
    actor: Actor = None


class AppToolOutput(Strict):
    """Tell what a tool of the application prints while it runs: `tool_output`, where the request asks for it."""

    type: Literal["app_tool_output"] = Field(description="Kind of message.")
    id: MessageId = Field(description="Id of this message, of the caller's choice; the `ack` bears the same.")
    call_id: PendingId = Field(description="Id of the call, from `app_tool_call`.")
    text: Text = Field(description="Next piece of what it prints.")


class Answer(Strict):
    """Answer a `question`."""

    type: Literal["answer"] = Field(description="Kind of message.")
    id: MessageId = Field(description="Id of this message, of the caller's choice; the `ack` bears the same.")
    question_id: PendingId = Field(description="Id of the question, from `question`.")
    answers: Answers
    actor: Actor = None
    signature: Signature = None


class Steer(Strict):
    """Say a word to the agent while it works: it reads it with its next tool result, in the same turn."""

    type: Literal["steer"] = Field(description="Kind of message.")
    id: MessageId = Field(description="Id of this message, of the caller's choice; the `ack` bears the same.")
    text: Text = Field(description="What the agent is told, as it is: a command or file reference in it is only text.")
    actor: Actor = None


AgentMessage = Permission | AppToolResult | AppToolOutput | Answer | Steer
"""What is for the agent."""
ControlMessage = Abort | AgentMessage
MESSAGES: dict[str, type[ControlMessage]] = {
    "abort": Abort,
    "permission": Permission,
    "app_tool_result": AppToolResult,
    "app_tool_output": AppToolOutput,
    "answer": Answer,
    "steer": Steer,
}


class InvalidControl(ValueError):
    """Raised when a line of stdin is no valid control message. It changes nothing.

    Attributes:
        id: The message's id where it could be read, else None.
        code: ``invalid_json``, ``unknown_type`` or ``invalid_message``.
        message: What is wrong, in plain words.
    """

    def __init__(self, code: str, message: str, id: str | None = None) -> None:  # noqa: A002 - the contract's name
        """Keeps what is told: by an ``ack`` the code alone, by a ``notice`` (where there is no id) the message too."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.id = id


def parse_control(line: bytes) -> ControlMessage:
    """Reads one line of stdin as a control message.

    Raises:
        InvalidControl: It is not a valid one.
    """
    if not line.strip():
        raise InvalidControl("invalid_json", "the line is empty")
    try:
        document = parse_json(line, one_line=True)
    except RequestProblems as refused:
        raise InvalidControl("invalid_json", _summary(refused.problems)) from None
    if not isinstance(document, dict):
        raise InvalidControl("invalid_message", "a control message must be a JSON object")
    return _read(document, _id_of(document))


def _read(document: dict[str, Any], message_id: str | None) -> ControlMessage:
    kind = document.get("type")
    known = ", ".join(MESSAGES)
    if not isinstance(kind, str):
        raise InvalidControl("invalid_message", f"/type is required; one of: {known}", message_id)
    if kind not in MESSAGES:
        raise InvalidControl("unknown_type", f"/type must be one of: {known}", message_id)
    try:
        return MESSAGES[kind].model_validate(document)
    except ValidationError as error:
        from agent_workers.protocol.v1.explain import explain  # paid for only by a refused message

        summary = _summary(explain(error, MESSAGES[kind]))
        raise InvalidControl("invalid_message", summary, message_id) from None


def _summary(problems: list[Problem]) -> str:
    shown = [f"{problem.pointer} {problem.message}".lstrip() for problem in problems[:_MAX_SHOWN_PROBLEMS]]
    return "; ".join(shown)


def _id_of(document: dict[str, Any]) -> str | None:
    message_id = document.get("id")
    return message_id if isinstance(message_id, str) and 1 <= len(message_id) <= _MAX_ID else None
