"""The answers of a run that a skill judges: which one stands, and why none does yet. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.errors import OutputSchemaError
from agent_workers.protocol.v1.events import Done, Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_workers.protocol.v1.events import Body
    from agent_workers.protocol.v1.problem import Problem
    from agent_workers.protocol.v1.skill_use import Reviewer, Verdict

_MOST_NAMED = 5
_BROKEN = "The model gave no answer that keeps the rules of the skill."


class Reviewed:
    """The answers of one run.

    Args:
        reviewer: Judges them.
    """

    def __init__(self, reviewer: Reviewer) -> None:
        self._reviewer = reviewer
        self._verdict: Verdict | None = None
        self._has_answered = False

    def judge(self, output: Any) -> Verdict | None:
        """Judges the output of a turn; returns why the model answers once more, None where that was the last answer.

        Args:
            output: The output; None where there is none that satisfies the schema.
        """
        self._has_answered = output is not None
        if output is None:
            return None
        verdict = self._verdict = self._reviewer.judge(output)
        return None if verdict.again is None else verdict

    def fall_back(self) -> Verdict | None:
        """Returns the earlier answer that stands where the last turn brought none; from then on it is the run's."""
        earlier = self._reviewer.earlier
        if earlier is None or self._has_answered:
            return None
        self._verdict = earlier
        return earlier

    def notice(self) -> Notice:
        """Returns what is told of an answer that does not stand."""
        if self._verdict and self._verdict.model:
            return Notice(level="info", code="escalated", message="A stronger model looks at it once more.")
        places = _named(self._verdict.violations if self._verdict else ())
        words = f"The answer breaks rules of the skill at {places}, and goes back to the model."
        return Notice(level="info", code="correction", message=words)

    def settle(self, body: Body) -> Body:
        """Returns the end of the run with the answer that stands.

        Raises:
            OutputSchemaError: None does.
        """
        verdict = self._verdict
        if verdict is None or not isinstance(body, Done) or body.output is None:
            return body
        if verdict.violations:
            cause = f"rules are broken at {_named(verdict.violations)}"
            raise OutputSchemaError(_BROKEN, cause=cause, details=verdict.violations)
        return body.model_copy(update={"output": verdict.output, "needs_review": verdict.needs_review})


def _named(violations: Sequence[Problem]) -> str:
    more = f" and {len(violations) - _MOST_NAMED} more" if len(violations) > _MOST_NAMED else ""
    return ", ".join(each.pointer or "/" for each in violations[:_MOST_NAMED]) + more
