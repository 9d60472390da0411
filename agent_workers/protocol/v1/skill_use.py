"""What a request that was made of a skill bears with it; never on the wire."""

from pathlib import Path
from typing import Any, NamedTuple, Protocol

from agent_workers.protocol.v1.problem import Problem


class Verdict(NamedTuple):
    """What is to become of an answer.

    Attributes:
        again: What the model is told to have it answer once more; None where the answer stands.
        model: The model that answers from now on; None for the same.
        output: The answer that stands, where ``again`` is None: this one, or an earlier one.
        needs_review: Whether a person should look at it; None where the skill does not say.
        violations: What is wrong with it; none where it stands, or an earlier one.
    """

    again: str | None = None
    model: str | None = None
    output: Any = None
    needs_review: bool | None = None
    violations: tuple[Problem, ...] = ()


class Reviewer(Protocol):
    """Judges the answers of one run, one after the other."""

    def judge(self, output: Any) -> Verdict:
        """Judges the next answer, which satisfies the output schema."""
        ...

    @property
    def earlier(self) -> Verdict | None:
        """An answer that stands where none comes after it; None where there is none."""
        ...


class SkillUse(NamedTuple):
    """The skill of a request.

    Attributes:
        name: Its name.
        version: Its version; empty where it has none.
        folder: Where it was found.
        models: Models that may be asked besides the request's own.
        reviewer: Judges the answers; None where the skill asks for no more than the schema does.
        input: What it works on.
    """

    name: str
    version: str
    folder: Path
    models: tuple[str, ...] = ()
    reviewer: Reviewer | None = None
    input: Any = None
