"""Decides on tool calls that the CLI does not decide itself. What is not clearly allowed is denied."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Literal

from agent_workers.engine.claude.questions.changed_input import objection
from agent_workers.engine.claude.questions.paths import stays_within
from agent_workers.engine.claude.questions.verdict import Verdict
from agent_workers.errors import defect
from agent_workers.protocol.v1.events import Notice, PermissionResolved, ToolCall
from agent_workers.protocol.v1.tool_names import APP_TOOL, ASK_USER
from agent_workers.protocol.v1.tools import PATH_RULES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from agent_workers.engine.claude.messages.translate import Translator
    from agent_workers.engine.claude.questions.deferred_calls import DeferredCalls
    from agent_workers.engine.claude.questions.user_questions import UserQuestions
    from agent_workers.engine.questions.open_questions import OpenQuestions
    from agent_workers.protocol.v1.control import Permission
    from agent_workers.protocol.v1.task_request import Decision, Permissions

logger = logging.getLogger("agent_workers")

_REFUSED = "The user does not allow this call."
_UNANSWERED = "Nobody answered in time whether this call is allowed, so it is not."
_NOT_OFFERED = "This tool is not among the tools of this run."
_ONE_AT_A_TIME = "Another call is waiting for a decision. Call this again after it."
_UNDECIDED = "No decision came for this call, so it is not allowed."
_DECIDED = "This call was decided before, or not here, so it is not allowed now."
_IN_SUBAGENT = "A subagent cannot wait for a decision. The main agent may make this call."


class CallPermissions:
    """Decides on the calls of one run.

    Args:
        permissions: The request's ``permissions``.
        offered: The names of the tools that the request asked for.
        questions: Sends the questions.
        translator: Knows the calls of this run, and notes which were denied.
        users: Answers a question to the user that an earlier run left pending.
        deferred_calls: Knows the calls that earlier runs left pending.
        directories: Where file tools that are allowed without a path may work.
        private: Directories that no changed input may reach.
    """

    def __init__(
        self,
        permissions: Permissions,
        offered: Collection[str],
        questions: OpenQuestions,
        translator: Translator,
        *,
        users: UserQuestions,
        deferred_calls: DeferredCalls,
        directories: Sequence[str],
        private: Sequence[str] = (),
    ) -> None:
        self._permissions = permissions
        self._offered = offered
        self._questions = questions
        self._translator = translator
        self._users = users
        self._deferred_calls = deferred_calls
        self._directories = directories
        kept_out = [f"{kind}(/{path}/**)" for path in private for kind in PATH_RULES]
        self._deny = [*permissions.deny, *kept_out]
        self._decision = permissions.decision
        self._deferred_id: str | None = None

    @property
    def defers(self) -> bool:
        """Whether each call must be checked here before the CLI decides on it."""
        return self._permissions.mode == "defer"

    async def decide(self, name: str, tool_input: dict[str, Any], tool_use_id: str, reason: str | None) -> Verdict:
        """Decides on a call that the CLI would ask a person about."""
        try:
            verdict = await self._decide(name, tool_input, tool_use_id, reason)
        except Exception as error:  # noqa: BLE001 a failure must never allow a call
            logger.error("a call was denied because deciding on it failed: %s", defect(error))
            verdict = Verdict(allowed=False, message=_REFUSED)
        if not verdict.allowed:
            self._translator.note_denial(tool_use_id)
        return verdict

    async def _decide(self, name: str, tool_input: dict[str, Any], tool_use_id: str, reason: str | None) -> Verdict:
        if name not in self._offered:
            return Verdict(allowed=False, message=_NOT_OFFERED)
        if self._decision and tool_use_id == self._decision.tool_use_id:
            return await self._carry_out(name, tool_input, tool_use_id)
        if self._permissions.mode != "ask":
            allowed = name in self._permissions.allow and stays_within(self._directories, name, tool_input)
            return Verdict(allowed=allowed, message=_UNDECIDED)
        answer = await self._questions.permission(
            tool_use_id=tool_use_id,
            name=name,
            tool_input=tool_input,
            reason=reason,
            timeout_s=self._permissions.timeout_s,
            objection=lambda answer: self._objection(name, answer),
        )
        return _verdict(answer) if answer else Verdict(allowed=False, message=_UNANSWERED)

    async def _carry_out(self, name: str, tool_input: dict[str, Any], tool_use_id: str) -> Verdict:
        """Applies the decision on a call that an earlier run left pending, and sends events for both."""
        decision, self._decision = self._decision, None
        assert decision
        if not self._deferred_calls.claim(tool_use_id):
            return Verdict(allowed=False, message=_DECIDED)
        await self._questions.tell(ToolCall(tool_use_id=tool_use_id, name=name, input=tool_input))
        if name == ASK_USER:
            return await self._users.carry_out(tool_input, decision)
        fault = self._objection(name, decision)
        verdict = Verdict(allowed=False, message=fault) if fault else _verdict(decision)
        resolved = PermissionResolved(
            permission_id=tool_use_id,
            behavior="allow" if verdict.allowed else "deny",
            by="policy" if fault else "client",
            actor=decision.actor,
        )
        await self._questions.tell(resolved)
        return verdict

    def _objection(self, name: str, answer: Permission | Decision) -> str | None:
        """Returns why an allowed call may not run after all: a changed input must pass the same checks as the first."""
        if answer.behavior == "deny" or answer.updated_input is None:
            return None
        return objection(name, answer.updated_input, self._deny, self._directories[0])

    def look_at(
        self, name: str, tool_use_id: str, *, in_subagent: bool
    ) -> tuple[Literal["pass", "defer", "deny"], str]:
        """Decides before a call, in mode ``defer``: pass it on to the CLI's rules, defer it, or deny it.

        The CLI re-runs the pending call of a resumed session by itself, sometimes before it asks here; its rules then
        ask about it. Such a call is known by not being one of this run.
        """
        allowed = name != ASK_USER and (name in self._permissions.allow or name.startswith(APP_TOOL))
        if allowed or (self._decision and tool_use_id == self._decision.tool_use_id):
            return "pass", ""
        fault = self._why_not_deferred(tool_use_id, in_subagent=in_subagent)
        if fault:
            self._translator.note_denial(tool_use_id)
            return "deny", fault
        self._deferred_calls.note(tool_use_id)
        self._deferred_id = tool_use_id
        return "defer", ""

    def _why_not_deferred(self, tool_use_id: str, *, in_subagent: bool) -> str | None:
        if not self._translator.has_called(tool_use_id):
            return _UNDECIDED
        if in_subagent:
            return _IN_SUBAGENT
        return _ONE_AT_A_TIME if self._deferred_id else None

    def left_over(self) -> Notice | None:
        """Returns a notice where the decision matched no pending call."""
        if self._decision is None:
            return None
        words = "permissions.decision has changed nothing: no call with this tool_use_id was pending."
        return Notice(level="warning", code="decision_unused", message=words)


def _verdict(answer: Permission | Decision) -> Verdict:
    if answer.behavior == "deny":
        return Verdict(allowed=False, message=answer.message or _REFUSED)
    return Verdict(allowed=True, tool_input=answer.updated_input)
