"""The questions that the agent has asked the application: sent, told apart by id, and settled once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import anyio

from agent_workers.engine import awake
from agent_workers.protocol.v1.control import AppToolResult, Permission
from agent_workers.protocol.v1.events import AppToolCall, PermissionRequest, PermissionResolved
from agent_workers.wire import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from agent_workers.engine.base import Progress, Tell
    from agent_workers.protocol.v1.control import AgentMessage
    from agent_workers.protocol.v1.events import Body

    Objection = Callable[[Permission], str | None]

_TELL_S = 5  # how long a slow reader may delay the word that the agent took a question back

Answer = Permission | AppToolResult


def _no_objection(answer: Permission) -> str | None:
    return None


@dataclass(slots=True)
class _Question:
    kind: type[Answer]
    answer: Answer | None = None
    answered: anyio.Event = field(default_factory=anyio.Event)


class OpenQuestions:
    """The open questions of one run.

    Args:
        progress: Counts the open questions, so that the waiting agent does not pass for idle.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._open: dict[str, _Question] = {}
        self._untold: dict[str, PermissionResolved] = {}
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
        self._resolve(question_id, "deny", "abort")  # holds if the run ends before an answer
        try:
            answer = await self._ask(question_id, Permission, question, timeout_s)
        except BaseException:
            with anyio.move_on_after(_TELL_S, shield=True):
                await self._tell_resolved(question_id)
            raise
        if answer is None and question_id in self._untold:
            self._resolve(question_id, "deny", "timeout")
        if isinstance(answer, Permission) and (fault := objection(answer)):
            answer = answer.model_copy(update={"behavior": "deny", "message": fault})
            self._resolve(question_id, "deny", "policy")
        await self._tell_resolved(question_id)
        return answer if isinstance(answer, Permission) else None

    async def app_tool(self, *, name: str, tool_input: dict[str, Any], timeout_s: float) -> AppToolResult | None:
        """Has the application run one of its tools; None where it did not answer in time."""
        call_id = uuid4().hex
        question = AppToolCall(call_id=call_id, name=name, input=tool_input, expires_at=_in(timeout_s))
        answer = await self._ask(call_id, AppToolResult, question, timeout_s)
        return answer if isinstance(answer, AppToolResult) else None

    def answer(self, message: AgentMessage) -> bool:
        """Settles the question that the message names; False where no such question is open."""
        if not isinstance(message, Answer):
            return False
        question_id = message.permission_id if isinstance(message, Permission) else message.call_id
        question = self._open.get(question_id)
        if question is None or not isinstance(message, question.kind):
            return False
        del self._open[question_id]
        if isinstance(message, Permission):
            self._resolve(question_id, message.behavior, "client")
        question.answer = message
        question.answered.set()
        return True

    def unsettled(self) -> Sequence[PermissionResolved]:
        """Returns the settlements that were not sent yet; nothing can be answered any more."""
        self._open.clear()
        return list(self._untold.values())

    async def _ask(self, question_id: str, kind: type[Answer], question: Body, timeout_s: float) -> Answer | None:
        waiting = self._open[question_id] = _Question(kind)
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

    def _resolve(self, question_id: str, behavior: Any, by: Any) -> None:
        self._untold[question_id] = PermissionResolved(permission_id=question_id, behavior=behavior, by=by)

    async def _tell_resolved(self, question_id: str) -> None:
        resolved = self._untold.pop(question_id, None)  # before it is sent: a slow reader may delay it past the end
        if resolved and not await self.tell(resolved):
            self._untold[question_id] = resolved


async def _tell_nobody(body: Body) -> bool:
    return False


def _in(seconds: float) -> str:
    return timestamp(datetime.now(UTC) + timedelta(seconds=seconds))
