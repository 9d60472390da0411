"""``agents/agent-workers.yaml`` of a skill: what the Agent Skills standard leaves out."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Tag

from agent_workers.protocol.v1.content import by_shape
from agent_workers.protocol.v1.fields import (
    POINTER,
    Count,
    Dollars,
    EngineName,
    Few,
    ModelName,
    Opt,
    RunSeconds,
    Strict,
    ToolReference,
)
from agent_workers.protocol.v1.task_request import Permissions

Pointer = Annotated[str, Field(pattern=POINTER, max_length=1024)]
Share = Annotated[float, Field(ge=0, le=1)]


class InInput(Strict):
    """A value of the input."""

    input: Pointer = Field(description="JSON pointer into the input.")


class InOutput(Strict):
    """A value of the output."""

    output: Pointer = Field(description="JSON pointer into the output.")


def _value_kind(value: object) -> str | None:
    if isinstance(value, (InInput, InOutput)):
        return f"={type(value).__name__}"
    if isinstance(value, dict):
        return "=InInput" if "input" in value else "=InOutput" if "output" in value else None
    return "=number" if isinstance(value, int | float) and not isinstance(value, bool) else None


Value = Annotated[
    Annotated[float, Tag("=number")] | Annotated[InInput, Tag("=InInput")] | Annotated[InOutput, Tag("=InOutput")],
    by_shape(_value_kind, "must be a number, {input: /pointer} or {output: /pointer}"),
]


class _Check(Strict):
    at: Pointer = Field(description="Where in the output: a JSON pointer, `*` for each item.")


class EvidenceCheck(_Check):
    """Each text is a JSON pointer that resolves in the input."""

    check: Literal["evidence"]


class IdsCheck(_Check):
    """Each value is one of those that the input lists, or none of them."""

    check: Literal["ids"]
    of: Opt[InInput] = Field(default=None, description="Where the input lists those that it may be.")
    not_of: Opt[InInput] = Field(default=None, description="Where the input lists those that it may not be.")


class SumCheck(_Check):
    """The numbers add up."""

    check: Literal["sum"]
    equals: Opt[Value] = Field(default=None, description="What they come to.")
    min: Opt[Value] = Field(default=None, description="The least that they may come to.")
    max: Opt[Value] = Field(default=None, description="The most that they may come to.")
    tolerance: Annotated[float, Field(ge=0)] = Field(default=0.005, description="How far they may be off.")


class RangeCheck(_Check):
    """Each number lies in a range."""

    check: Literal["range"]
    min: Opt[Value] = Field(default=None, description="The least.")
    max: Opt[Value] = Field(default=None, description="The most.")


class UniqueCheck(_Check):
    """No value comes twice."""

    check: Literal["unique"]


class ConfidenceCheck(_Check):
    """A number from 0 to 1 that tells how sure the model is; `escalation` and `review_below` read it."""

    check: Literal["confidence"]


CHECKS: dict[str, type[_Check]] = {
    "evidence": EvidenceCheck,
    "ids": IdsCheck,
    "sum": SumCheck,
    "range": RangeCheck,
    "unique": UniqueCheck,
    "confidence": ConfidenceCheck,
}
"""Every check that there is, by its name."""


def _check_kind(value: object) -> str | None:
    if isinstance(value, _Check):
        return f"={type(value).__name__}"
    name = value.get("check") if isinstance(value, dict) else None
    kind = CHECKS.get(name) if isinstance(name, str) else None
    return f"={kind.__name__}" if kind else None


Check = Annotated[
    Annotated[EvidenceCheck, Tag("=EvidenceCheck")]
    | Annotated[IdsCheck, Tag("=IdsCheck")]
    | Annotated[SumCheck, Tag("=SumCheck")]
    | Annotated[RangeCheck, Tag("=RangeCheck")]
    | Annotated[UniqueCheck, Tag("=UniqueCheck")]
    | Annotated[ConfidenceCheck, Tag("=ConfidenceCheck")],
    by_shape(_check_kind, f"must be {{check: NAME, at: /pointer, …}}; NAME is one of {', '.join(CHECKS)}"),
]


Reason = Literal["checks_failed", "low_confidence"]


class Escalation(Strict):
    """When a stronger model tries once more."""

    model: ModelName = Field(description="Name of the stronger model.")
    when: Annotated[list[Reason], Field(min_length=1)] = Field(
        default=["checks_failed"],
        description="`checks_failed`: the corrections were used up. `low_confidence`: the confidence is below "
        "`review_below`.",
    )


class SkillLimits(Strict):
    """Bounds on one run, as in a request; what a request says itself goes before."""

    timeout_s: Opt[RunSeconds] = Field(default=None, description="Seconds that the run may take.")
    idle_timeout_s: Opt[RunSeconds] = Field(default=None, description="Seconds without progress.")
    max_budget_usd: Opt[Dollars] = Field(default=None, description="US dollars that the run may cost.")


class Settings(Strict):
    """How a skill runs. Every field may be left out."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("timeout", "timeout_s"), "limits.timeout_s"),
        **dict.fromkeys(("max_budget_usd", "budget"), "limits.max_budget_usd"),
        **dict.fromkeys(("retries", "max_corrections"), "corrections"),
        "needs_review_below": "review_below",
        "turns": "max_turns",
    }

    model: Opt[ModelName] = Field(default=None, description="Name of the model. The CLI's default when absent.")
    fallback_model: Opt[ModelName] = Field(default=None, description="Model to use while that one is overloaded.")
    engine: Opt[EngineName] = Field(
        default=None,
        description="What does the work: `messages`, the plain Messages API, or `agent`, which a skill with tools "
        "needs. The host's choice when absent.",
    )
    max_tokens: Opt[Count] = Field(
        default=None, description="Tokens that one answer may have; with engine `messages` only."
    )
    max_turns: Opt[Count] = Field(default=None, description="How often the model may be called for an answer.")
    limits: SkillLimits = Field(default_factory=SkillLimits, description="Bounds on one run.")
    tools: Few[ToolReference] = Field(
        default_factory=list, description="Tools that the agent has. A skill with tools needs `cwd` in its requests."
    )
    permissions: Permissions = Field(default_factory=Permissions, description="What the agent may do, as for a task.")
    checks: Few[Check] = Field(default_factory=list, description="What an answer must keep beyond the output schema.")
    corrections: Annotated[int, Field(ge=0, le=10)] = Field(
        default=2, description="How often a model is told what is wrong with its answer."
    )
    escalation: Opt[Escalation] = Field(default=None, description="When a stronger model tries once more.")
    review_below: Opt[Share] = Field(
        default=None, description="Confidence below which a person should look at the result."
    )

    @property
    def confidence_at(self) -> str | None:
        """Where the output tells how sure the model is; None where no check says so."""
        return next((check.at for check in self.checks if isinstance(check, ConfidenceCheck)), None)
