"""Has the user asked what the agent wants to know. A question that nobody answers never fails the run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from agent_workers.engine.claude.questions.verdict import Verdict
from agent_workers.engine.questions.asked import NOBODY, Unaskable, answered, items_of, misfit
from agent_workers.errors import defect
from agent_workers.protocol.v1.events import Notice, QuestionResolved

if TYPE_CHECKING:
    from agent_workers.engine.claude.messages.translate import Translator
    from agent_workers.engine.questions.open_questions import OpenQuestions
    from agent_workers.protocol.v1.task_request import Decision

logger = logging.getLogger("agent_workers")

_UNUSED = "permissions.decision.answers has not reached the agent: {why}. It was told that nobody answered."


class UserQuestions:
    """Puts the agent's questions to the user.

    Args:
        questions: Sends the questions.
        translator: Notes which had no answer, so that they do not pass for calls that were denied.
        timeout_s: Seconds that a question waits.
    """

    def __init__(self, questions: OpenQuestions, translator: Translator, timeout_s: float) -> None:
        self._questions = questions
        self._translator = translator
        self._timeout_s = timeout_s

    async def ask(self, tool_input: dict[str, Any], tool_use_id: str) -> Verdict:
        """Asks the user; returns what becomes of the call."""
        try:
            items = items_of(tool_input)
            answer = await self._questions.user_question(
                tool_use_id=tool_use_id, items=items, timeout_s=self._timeout_s
            )
        except Unaskable as fault:
            return self._unanswered(tool_use_id, f"The user was not asked. {fault}")
        except Exception as error:  # noqa: BLE001 the agent goes on whatever happens
            logger.error("a question to the user failed: %s", defect(error))
            return self._unanswered(tool_use_id)
        if answer is None:
            return self._unanswered(tool_use_id)
        return Verdict(allowed=True, tool_input=answered(tool_input, items, answer.answers))

    async def carry_out(self, tool_input: dict[str, Any], decision: Decision) -> Verdict:
        """Answers a question that an earlier run left pending; its id is that of the call."""
        call = decision.tool_use_id
        verdict, why = self._decided(tool_input, decision)
        if why:
            words = _UNUSED.format(why=why)
            await self._questions.tell(Notice(level="warning", code="answers_unused", message=words))
        await self._questions.tell(QuestionResolved(question_id=call, by="client", actor=decision.actor))
        return verdict

    def _decided(self, tool_input: dict[str, Any], decision: Decision) -> tuple[Verdict, str | None]:
        call = decision.tool_use_id
        if decision.behavior == "deny":
            return self._unanswered(call, decision.message or NOBODY), None
        if decision.answers is None:
            return self._unanswered(call), "the call asks the user, and there are no answers"
        try:
            items = items_of(tool_input)
        except Unaskable as fault:
            return self._unanswered(call, f"The user was not asked. {fault}"), "the user cannot be asked this"
        if why := misfit(decision.answers, items):
            return self._unanswered(call), why
        return Verdict(allowed=True, tool_input=answered(tool_input, items, decision.answers)), None

    def _unanswered(self, tool_use_id: str, message: str = NOBODY) -> Verdict:
        self._translator.note_unanswered(tool_use_id)
        return Verdict(allowed=False, message=message)
