"""The questions that the agent has asked the application: sent, told apart by id, and settled once."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import anyio

from agent_workers.engine import awake
from agent_workers.engine.questions.asked import misfit
from agent_workers.protocol.v1.control import Answer, AppToolResult, Permission
from agent_workers.protocol.v1.events import (
    Ack,
    AppToolCall,
    PermissionRequest,
    PermissionResolved,
    Question,
    QuestionResolved,
)
from agent_workers.wire import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal

    from agent_workers.engine.base import Progress, Tell
    from agent_workers.protocol.v1.control import AgentMessage
    from agent_workers.protocol.v1.events import Body, QuestionItem

    Objection = Callable[[Permission], str | None]
    Resolved = PermissionResolved | QuestionResolved

logger = logging.getLogger("agent_workers")

_TELL_S = 5  # how long a slow reader may delay the word that the agent took a question back

AnyAnswer = Permission | AppToolResult | Answer


def _no_objection(answer: Permission) -> str | None:
    return None


@dataclass(slots=True)
class _Question:
    kind: type[AnyAnswer]
    items: Sequence[QuestionItem] = ()
    answer: AnyAnswer | None = None
    answered: anyio.Event = field(default_factory=anyio.Event)


class OpenQuestions:
    """The open questions of one run.

    Args:
        progress: Counts the open questions, so that the waiting agent does not pass for idle.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._open: dict[str, _Question] = {}
        self._untold: dict[str, Resolved] = {}
        self.tell: Tell = _tell_nobody

    async def permission(
        self,
        *,
        tool_use_id: str,
        name: str,
        tool_input: dict[str, Any],
        reason: str | None,
        timeout_s: float,
        objection: Objection = _no_objection,
    ) -> Permission | None:
        """Asks whether a call may run; None where nobody answered in time.

        Args:
            tool_use_id: The call's id.
            name: The tool's name.
            tool_input: The call's input.
            reason: Why a permission is needed.
            timeout_s: Seconds to wait for an answer.
            objection: Returns why an answer counts as a denial, even if it allows the call.
        """
        question_id = uuid4().hex
        question = PermissionRequest(
            permission_id=question_id,
            tool_use_id=tool_use_id,
            name=name,
            input=tool_input,
            reason=reason,
            expires_at=_in(timeout_s),
        )
        answer = await self._ask_and_resolve(question_id, _Question(Permission), question, timeout_s)
        if not isinstance(answer, Permission):
            return None
        if fault := objection(answer):
            answer = answer.model_copy(update={"behavior": "deny", "message": fault})
            self._untold[question_id] = _resolved(answer, "policy")
        await self._tell_resolved(question_id)
        return answer

    async def user_question(
        self, *, tool_use_id: str, items: Sequence[QuestionItem], timeout_s: float
    ) -> Answer | None:
        """Asks the user; None where nobody answered in time."""
        question_id = uuid4().hex
        question = Question(
            question_id=question_id, tool_use_id=tool_use_id, questions=list(items), expires_at=_in(timeout_s)
        )
        answer = await self._ask_and_resolve(question_id, _Question(Answer, items), question, timeout_s)
        await self._tell_resolved(question_id)
        return answer if isinstance(answer, Answer) else None

    async def app_tool(
        self,
        call_id: str,
        *,
        name: str,
        tool_input: dict[str, Any],
        tool_use_id: str | None,
        effect_key: str,
        timeout_s: float,
    ) -> AppToolResult | None:
        """Has the application run one of its tools; None where it did not answer in time."""
        question = AppToolCall(
            call_id=call_id,
            name=name,
            input=tool_input,
            expires_at=_in(timeout_s),
            tool_use_id=tool_use_id,
            effect_key=effect_key,
        )
        answer = await self._ask(call_id, _Question(AppToolResult), question, timeout_s)
        return answer if isinstance(answer, AppToolResult) else None

    def awaits_result(self, call_id: str) -> bool:
        """Tells whether the application runs this call; if so, this is a sign of life."""
        question = self._open.get(call_id)
        if question is None or question.kind is not AppToolResult:
            return False
        self._progress.touch()
        return True

    def answer(self, message: AgentMessage) -> Ack:
        """Settles the question that the message names; the ``ack`` says where it changed nothing."""
        if not isinstance(message, AnyAnswer):
            return Ack(id=message.id, ok=False, code="not_pending")
        question = self._open.get(_id_of(message))
        if question is None or not isinstance(message, question.kind):
            return Ack(id=message.id, ok=False, code="not_pending")
        if isinstance(message, Answer) and (why := misfit(message.answers, question.items)):
            logger.warning("a control message changed nothing: /answers: %s", ascii(why)[1:-1])
            return Ack(id=message.id, ok=False, code="invalid_message")
        del self._open[_id_of(message)]
        if not isinstance(message, AppToolResult):
            self._untold[_id_of(message)] = _resolved(message, "client")
        question.answer = message
        question.answered.set()
        return Ack(id=message.id, ok=True)

    def unsettled(self) -> Sequence[Resolved]:
        """Returns the settlements that were not sent yet; nothing can be answered any more."""
        self._open.clear()
        return list(self._untold.values())

    async def _ask_and_resolve(
        self, question_id: str, waiting: _Question, question: PermissionRequest | Question, timeout_s: float
    ) -> AnyAnswer | None:
        """Asks; where nobody answers, says so."""
        self._untold[question_id] = _unanswered(question, "abort")  # holds if the run ends before an answer
        try:
            answer = await self._ask(question_id, waiting, question, timeout_s)
        except BaseException:
            with anyio.move_on_after(_TELL_S, shield=True):
                await self._tell_resolved(question_id)
            raise
        if answer is None:
            if question_id in self._untold:
                self._untold[question_id] = _unanswered(question, "timeout")
            await self._tell_resolved(question_id)
        return answer

    async def _ask(self, question_id: str, waiting: _Question, question: Body, timeout_s: float) -> AnyAnswer | None:
        self._open[question_id] = waiting
        self._progress.waiting += 1
        try:
            with awake.move_on_after(timeout_s):
                if await self.tell(question):
                    await waiting.answered.wait()
                else:
                    self._untold.pop(question_id, None)
            return waiting.answer  # also an answer at the very moment of the deadline: it was acknowledged
        finally:
            self._open.pop(question_id, None)
            self._progress.waiting -= 1
            self._progress.touch()

    async def _tell_resolved(self, question_id: str) -> None:
        resolved = self._untold.pop(question_id, None)  # before it is sent: a slow reader may delay it past the end
        if resolved and not await self.tell(resolved):
            self._untold[question_id] = resolved


def _id_of(answer: AnyAnswer) -> str:
    if isinstance(answer, Answer):
        return answer.question_id
    return answer.permission_id if isinstance(answer, Permission) else answer.call_id


def _resolved(answer: Permission | Answer, by: Literal["client", "policy"]) -> Resolved:
    actor, signature = answer.actor, answer.signature
    if isinstance(answer, Answer):
        return QuestionResolved(question_id=answer.question_id, by="client", actor=actor, signature=signature)
    permission_id, behavior = answer.permission_id, answer.behavior
    return PermissionResolved(permission_id=permission_id, behavior=behavior, by=by, actor=actor, signature=signature)


def _unanswered(question: PermissionRequest | Question, by: Literal["timeout", "abort"]) -> Resolved:
    if isinstance(question, Question):
        return QuestionResolved(question_id=question.question_id, by=by)
    return PermissionResolved(permission_id=question.permission_id, behavior="deny", by=by)


async def _tell_nobody(body: Body) -> bool:
    return False


def _in(seconds: float) -> str:
    return timestamp(datetime.now(UTC) + timedelta(seconds=seconds))
