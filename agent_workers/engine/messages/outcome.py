"""What a run comes to: whether its answer stands, what the model is told where it does not, and the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from agent_workers.errors import AnswerUnreadable, ContextOverflow, OutputSchemaError, ServerError
from agent_workers.protocol.v1.events import Done

if TYPE_CHECKING:
    from agent_workers.engine.answer.answer_text import AnswerText
    from agent_workers.engine.answer.reviewed import Reviewed
    from agent_workers.engine.answer.usage import Bill
    from agent_workers.engine.messages.message import StreamedMessage
    from agent_workers.protocol.v1.events import Notice
    from agent_workers.protocol.v1.request import Request

_MOST_ANSWERS = 5
"""Answers that a model may give until one satisfies the schema, as in the engine agent."""
_CORRECTION = (
    "Your answer does not satisfy its JSON Schema: {wrong}. "
    "Answer once more, with the whole JSON object and nothing else."
)
_PAUSED = "The model paused in the middle of its answer. Try again."


class Again(NamedTuple):
    """Why the model answers once more.

    Attributes:
        text: What it is told.
        model: The model that answers from now on; None for the same.
        notice: What the reader is told; None for nothing.
    """

    text: str
    model: str | None = None
    notice: Notice | None = None


class Outcome:
    """The end of one run.

    Args:
        request: What the run is asked to do.
        answer: The text of its answer.

    Attributes:
        message: The model's last message; None before the first.
    """

    def __init__(self, request: Request, answer: AnswerText) -> None:
        self.message: StreamedMessage | None = None
        self._schema = request.output_schema
        self._answer = answer
        self._reviewed = _reviewed_of(request)
        self._answers = 0
        self._output: Any = None

    async def judge(self, stop_reason: str) -> Again | None:
        """Returns why the model answers once more; None where it does not.

        Raises:
            WorkerError: The answer is none.
        """
        if stop_reason == "pause_turn":
            raise ServerError(_PAUSED, cause="the API stopped by pause_turn")
        if stop_reason == "model_context_window_exceeded" and not self._answer.text:
            raise ContextOverflow(cause="the API stopped by model_context_window_exceeded")
        if self._schema is None:
            self._check_read(stop_reason)
            return None
        if stop_reason != "end_turn" or self.message is None:
            self._output = None
            return self._reviewed_again()
        from agent_workers.engine.answer.output import checked_output  # few chats have a schema
        from agent_workers.engine.messages.output_format import output_of

        self._answers += 1
        output = output_of(self.message.text)
        self._output, wrong = (None, "it is not one JSON object")
        if output is not None:
            self._output, wrong = await checked_output(output, self._schema)
        if self._output is None and self._answers < _MOST_ANSWERS:
            return Again(_CORRECTION.format(wrong=wrong))
        return self._reviewed_again()

    def falls_back(self) -> bool:
        """Returns whether an earlier answer stands, where the model could not be asked once more."""
        if self._reviewed is None:
            return False
        self._reviewed.judge(None)
        return self._reviewed.fall_back() is not None

    def done(self, stop_reason: str, bill: Bill, turns: int) -> Done:
        """Returns the end of a run whose answer stands.

        Args:
            stop_reason: Why the model stopped.
            bill: What the run has consumed.
            turns: How often the model was called.

        Raises:
            OutputSchemaError: None does.
        """
        earlier = self._reviewed.fall_back() if self._reviewed else None
        if earlier is not None:
            stop_reason, self._output = "end_turn", earlier.output
        if self._schema is not None and self._output is None:
            why = "gave no output" if stop_reason == "end_turn" else f"stopped by {stop_reason}, without output"
            raise OutputSchemaError(cause=f"the model {why}")
        done = Done(
            stop_reason=stop_reason,
            text=self._answer.text,
            output=self._output,
            usage=bill.usage,
            usage_scope=bill.scope,
            cost_usd=bill.cost_usd,
            models=bill.models,
            duration_ms=0,
            turns=turns,
        )
        settled = self._reviewed.settle(done) if self._reviewed else done
        assert isinstance(settled, Done)
        return settled

    def _reviewed_again(self) -> Again | None:
        if self._reviewed is None:
            return None
        verdict = self._reviewed.judge(self._output)
        if verdict is None:
            return None
        return Again(verdict.again or "", verdict.model, self._reviewed.notice())

    def _check_read(self, stop_reason: str) -> None:
        if self.message and self.message.is_partly_unread and stop_reason == "end_turn" and not self._answer.text:
            raise AnswerUnreadable(cause="the API's answer holds nothing but blocks that are not known here")


def _reviewed_of(request: Request) -> Reviewed | None:
    if request.skill_use is None or request.skill_use.reviewer is None:
        return None
    from agent_workers.engine.answer.reviewed import Reviewed  # for skills with checks alone

    return Reviewed(request.skill_use.reviewer)
