"""What a browser may send, and what it is answered, as models: ``openapi.py`` writes its page from them."""

from collections.abc import Iterable
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import Field

from agent_workers.gateway.refusal import Refusal, invalid
from agent_workers.protocol.document import parse_json
from agent_workers.protocol.v1.fields import Goal, JsonObject, Opt, RunId, SessionId, Strict, Text, Timestamp
from agent_workers.protocol.v1.problem import Problem, RequestProblems
from agent_workers.protocol.v1.request import parse_request
from agent_workers.protocol.v1.settings import Subject

B = TypeVar("B", bound=Strict)


class _Body(Strict):
    synonyms: ClassVar[dict[str, str]] = {}


class _Start(_Body):
    conversation: Opt[SessionId] = Field(default=None, description="The conversation that it goes on with, or begins.")
    subject: Opt[Subject] = Field(default=None, description="What the run is about, where the preset lets it be set.")
    goal: Opt[Goal] = Field(default=None, description="What it is meant to achieve, likewise.")
    metadata: Opt[JsonObject] = Field(default=None, description="The page's own data, likewise.")
    thinking: Opt[bool] = Field(default=None, description="Whether thinking is sent, likewise.")


class StartBody(_Start):
    """Starts a run."""

    prompt: Opt[Text] = Field(default=None, description="What the user says; of a run that is no skill's.")
    input: Opt[JsonObject] = Field(default=None, description="What a skill works on; of a skill's run.")


class SkillBody(_Start):
    """Runs a skill."""

    input: JsonObject = Field(description="What it works on: an object that satisfies the skill's input schema.")


class PermissionBody(_Body):
    """Decides whether a tool may be used."""

    behavior: Literal["allow", "deny"] = Field(description="The decision.")
    message: Opt[str] = Field(default=None, max_length=2000, description="Why not, for the agent.")


class AnswersBody(_Body):
    """Answers the agent's questions."""

    answers: dict[str, Any] = Field(
        description="The answer to each question by its text: a text, or a list of texts where several may be chosen."
    )


class SteerBody(_Body):
    """Says a word to the agent while it works."""

    text: Text = Field(description="What is said.")


class Steered(_Body):
    """The word is on its way."""

    id: str = Field(description="Id of the message, as `ack` and `steered` bear it.")


class RefusalBody(_Body):
    """Why a request was refused."""

    message: str = Field(description="What a person may read.")
    code: str = Field(description="Names the reason for programs.")
    retryable: bool = Field(description="Whether the same may succeed later.")
    retry_after_ms: Opt[int] = Field(default=None, description="How long to wait before that.")
    errors: Opt[dict[str, list[str]]] = Field(default=None, description="What is wrong with which field of the body.")
    details: Opt[list[dict[str, Any]]] = Field(default=None, description="What is wrong with the whole request.")


class AcceptedBody(_Body):
    """A run that has begun, or waits."""

    run: RunId = Field(description="The run's id.")
    state: str = Field(description="As in its status.")
    status: str = Field(description="Address of its status.")
    events: str = Field(description="Address of its events.")


class StatusBody(AcceptedBody):
    """How far a run is."""

    state: str = Field(
        description="`running`, or how it has ended: `done`, `error`, `aborted`; in a fleet also `scheduled`, `queued` "
        "and `admitted`."
    )
    attempt: Opt[int] = Field(default=None, description="The attempt that began last, in a fleet.")
    submitted_at: Opt[Timestamp] = Field(default=None, description="When the fleet got it.")
    run_at: Opt[Timestamp] = Field(default=None, description="When it may begin.")
    expires_at: Opt[Timestamp] = Field(default=None, description="Until when it must have begun.")
    begun_at: Opt[Timestamp] = Field(default=None, description="When it began.")
    ended_at: Opt[Timestamp] = Field(default=None, description="When it ended.")
    asking: Opt[int] = Field(default=None, description="How many questions are open, in a fleet.")
    event: Opt[dict[str, Any]] = Field(default=None, description="Its terminal event.")
    message: Opt[str] = Field(default=None, description="Why there is no answer, for a person.")


def read_body(data: bytes, model: type[B]) -> B:
    """Reads a request's body.

    Raises:
        Refusal: It is not JSON, or not what is accepted there.
    """
    try:
        document = parse_json(data) if data.strip() else {}
    except RequestProblems as found:
        words = f"The body is not valid JSON: {found.problems[0].message}"
        raise Refusal(400, "invalid_json", words) from None
    try:
        return parse_request(document, model)
    except RequestProblems as found:
        raise invalid(_by_field(found.problems)) from None


def _by_field(problems: Iterable[Problem]) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for problem in problems:
        field, _, rest = problem.pointer.removeprefix("/").partition("/")
        errors.setdefault(field or "body", []).append(f"{field}{'/' if rest else ''}{rest} {problem.message}".strip())
    return errors
