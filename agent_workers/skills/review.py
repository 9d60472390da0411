"""Judges the answers of one run: checks them, has them corrected, and has a stronger model try once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.protocol.v1.skill_use import Verdict
from agent_workers.skills.checks import violations
from agent_workers.skills.pointers import resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_workers.protocol.v1.problem import Problem
    from agent_workers.skills.settings import Reason, Settings

_ONCE_MORE = (
    "Look at the whole input once more, as if you had not answered yet, and answer again with the complete output. You "
    "need not come to the same result; say by the confidence how sure you are now."
)


class Review:
    """The review of one run's answers.

    Args:
        settings: How the skill runs.
        skill_input: What it works on.

    Attributes:
        earlier: An answer of which the model was not sure, for as long as a stronger one looks at it once more.
    """

    def __init__(self, settings: Settings, skill_input: Any) -> None:
        self._settings = settings
        self._input = skill_input
        self._left = settings.corrections
        self._escalated = False
        self.earlier: Verdict | None = None

    def judge(self, output: Any) -> Verdict:
        """Judges the next answer, which satisfies the output schema."""
        found = violations(self._settings.checks, self._input, output)
        if found:
            return self._broken(found)
        bound, confidence = self._settings.review_below, self._confidence(output)
        is_unsure = bound is not None and (confidence is None or confidence < bound)
        verdict = Verdict(output=output, needs_review=None if bound is None else is_unsure)
        if is_unsure and (model := self._escalate("low_confidence")):
            self.earlier = verdict
            return Verdict(again=_ONCE_MORE, model=model)
        return verdict

    def _broken(self, found: Sequence[Problem]) -> Verdict:
        if self._left:
            self._left -= 1
            return Verdict(again=_told(found), violations=tuple(found))
        if model := self._escalate("checks_failed"):
            return Verdict(again=_told(found), model=model, violations=tuple(found))
        return self.earlier or Verdict(violations=tuple(found))

    def _escalate(self, reason: Reason) -> str | None:
        """Returns the stronger model, once and where the skill wants it for this reason."""
        escalation = self._settings.escalation
        if self._escalated or escalation is None or reason not in escalation.when:
            return None
        self._escalated = True
        self._left = self._settings.corrections
        return escalation.model

    def _confidence(self, output: Any) -> float | None:
        place = self._settings.confidence_at
        found = [value for _, value in resolve(output, place)] if place else []
        numbers = [value for value in found if isinstance(value, int | float) and not isinstance(value, bool)]
        return min(numbers, default=None)


def _told(found: Sequence[Problem]) -> str:
    lines = [f"- {problem.pointer or 'the whole output'}: {problem.message}" for problem in found]
    return "\n".join(
        [
            "Your output breaks rules that it must keep. What is wrong, by JSON pointers into your output:",
            "",
            *lines,
            "",
            "Correct that, look at the input again where you need to, and answer again with the complete output.",
        ]
    )
