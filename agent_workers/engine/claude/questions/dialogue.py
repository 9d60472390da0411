"""The questions of one run between agent and application, and what answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.engine.claude.launch.capabilities import offered
from agent_workers.engine.claude.questions.deferred_calls import DeferredCalls
from agent_workers.engine.claude.questions.permissions import CallPermissions
from agent_workers.engine.claude.questions.user_questions import UserQuestions
from agent_workers.engine.claude.questions.verdict import Verdict
from agent_workers.engine.questions.app_tools import AppTools
from agent_workers.engine.questions.open_questions import OpenQuestions
from agent_workers.protocol.v1.events import Ack
from agent_workers.protocol.v1.kind import is_task
from agent_workers.protocol.v1.tool_names import ASK_USER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from typing import Any, Literal

    from agent_workers.engine.base import Progress
    from agent_workers.engine.claude.messages.translate import Translator
    from agent_workers.engine.claude.output.live_output import LiveOutput
    from agent_workers.protocol.v1.control import AgentMessage
    from agent_workers.protocol.v1.events import Notice
    from agent_workers.protocol.v1.request import Request

_NOT_ALLOWED = "This call is not allowed in this run, and nobody can be asked."


class Dialogue:
    """One run's questions, and what answers them.

    Args:
        request: What the run is asked to do.
        progress: The run's progress.
        translator: The run's translator.
        folder: Where deferred calls are noted for a later run.

    Attributes:
        questions: The open questions.
        app_tools: Runs the application's tools; None without any.
        permissions: Decides on calls; None where the CLI's own rules decide on all.
        before_deferral: Called before the CLI learns that the run ends with a call that waits.
    """

    def __init__(self, request: Request, progress: Progress, translator: Translator, folder: Path) -> None:
        self.questions = OpenQuestions(progress)
        self.app_tools: AppTools | None = None
        if request.app_tools:
            self.app_tools = AppTools(request.app_tools, self.questions, translator.note_result, run=request.run)
        self._live: LiveOutput | None = None
        self._translator = translator
        self.before_deferral: Callable[[], Awaitable[None]] = _nothing
        users = UserQuestions(self.questions, translator, request.limits.question_timeout_s)
        self._users = users if ASK_USER in request.tools else None
        self.permissions: CallPermissions | None = None
        if is_task(request) and request.permissions.mode in ("ask", "defer"):
            directories = [request.cwd, *request.add_dirs]
            self.permissions = CallPermissions(
                request.permissions,
                offered(request) or (),
                self.questions,
                translator,
                users=users,
                deferred_calls=DeferredCalls(folder, directories[0]),
                directories=directories,
                private=[str(folder.parent)],
            )

    def show_output(self, live: LiveOutput) -> None:
        """Has what tools print shown from now on."""
        self._live = live
        if self.app_tools:
            self.app_tools.show = live.add

    @property
    def decides(self) -> bool:
        """Whether the CLI asks here about calls."""
        return bool(self.permissions or self._users)

    @property
    def defers(self) -> bool:
        """Whether a call may end the run, to wait for a decision."""
        return self.permissions is not None and self.permissions.defers

    @property
    def needed(self) -> bool:
        """Whether the run cannot go on without the SDK's client."""
        return bool(self.app_tools or self.decides)

    async def decide(self, name: str, tool_input: dict[str, Any], tool_use_id: str, reason: str | None) -> Verdict:
        """Decides on a call that the CLI asks about. One that asks the user needs no permission, whatever the mode."""
        if name == ASK_USER and self._users and not (self.permissions and self.permissions.defers):
            return await self._users.ask(tool_input, tool_use_id)
        if self.permissions:
            verdict = await self.permissions.decide(name, tool_input, tool_use_id, reason)
            if verdict.allowed and self._live:
                self._live.expect(name, tool_use_id, verdict.tool_input or tool_input)
            return verdict
        self._translator.note_denial(tool_use_id)
        return Verdict(allowed=False, message=_NOT_ALLOWED)

    def answer(self, message: AgentMessage) -> Ack:
        """Passes on what is for the agent, or for who watches a tool of the application; returns the ``ack``."""
        if self.app_tools and message.type == "app_tool_output" and self.app_tools.print(message):
            return Ack(id=message.id, ok=True)
        return self.questions.answer(message)

    async def look_at(
        self, name: str, tool_use_id: str, *, in_subagent: bool
    ) -> tuple[Literal["pass", "defer", "deny"], str]:
        """Decides before a call, in mode ``defer``: ``pass``, ``defer`` or ``deny``, and why."""
        assert self.permissions
        fate, reason = self.permissions.look_at(name, tool_use_id, in_subagent=in_subagent)
        if fate == "defer":
            await self.before_deferral()
        return fate, reason

    def left_over(self) -> Notice | None:
        """Returns a notice where the decision matched no pending call."""
        return self.permissions.left_over() if self.permissions else None


async def _nothing() -> None:
    pass
