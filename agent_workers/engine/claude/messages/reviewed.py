"""The answers of a run that a skill judges: which one stands, and what the agent is told where none does yet. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.engine.claude.process.cli_input import again_line, model_line
from agent_workers.errors import OutputSchemaError
from agent_workers.protocol.v1.events import Done, Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_workers.protocol.v1.events import Body
    from agent_workers.protocol.v1.problem import Problem
    from agent_workers.protocol.v1.skill_use import Reviewer, Verdict

Message = dict[str, Any]

_OF_FAILURE = ("errors", "api_error", "api_error_status", "api_error_type", "result")
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

    def judge(self, output: Any) -> bytes:
        """Judges the output of a turn; returns what the CLI is told next, nothing where that was the last answer.

        Args:
            output: The output; None where there is none that satisfies the schema.
        """
        self._has_answered = output is not None
        if output is None:
            return b""
        verdict = self._verdict = self._reviewer.judge(output)
        if verdict.again is None:
            return b""
        return (model_line(verdict.model) if verdict.model else b"") + again_line(verdict.again)

    def mended(self, result: Message) -> Message:
        """Returns a turn's result as one with the earlier answer, where it brings none and an earlier one stands."""
        earlier = self._reviewer.earlier
        if earlier is None or self._has_answered:
            return result
        self._verdict = earlier
        told = {"subtype": "success", "is_error": False, "stop_reason": "end_turn", "structured_output": earlier.output}
        return {name: value for name, value in result.items() if name not in _OF_FAILURE} | told

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
