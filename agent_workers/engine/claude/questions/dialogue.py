"""The questions of one run between agent and application, and what answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.engine.claude.launch.capabilities import offered
from agent_workers.engine.claude.questions.app_tools import AppTools
from agent_workers.engine.claude.questions.deferred_calls import DeferredCalls
from agent_workers.engine.claude.questions.open_questions import OpenQuestions
from agent_workers.engine.claude.questions.permissions import CallPermissions
from agent_workers.protocol.v1.request import is_task

if TYPE_CHECKING:
    from pathlib import Path

    from agent_workers.engine.base import Progress
    from agent_workers.engine.claude.messages.translate import Translator
    from agent_workers.protocol.v1.events import Notice
    from agent_workers.protocol.v1.request import Request


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
    """

    def __init__(self, request: Request, progress: Progress, translator: Translator, folder: Path) -> None:
        self.questions = OpenQuestions(progress)
        self.app_tools = AppTools(request.app_tools, self.questions) if request.app_tools else None
        self.permissions: CallPermissions | None = None
        if is_task(request) and request.permissions.mode in ("ask", "defer"):
            directories = [request.cwd, *request.add_dirs]
            self.permissions = CallPermissions(
                request.permissions,
                offered(request) or (),
                self.questions,
                translator,
                deferred_calls=DeferredCalls(folder, directories[0]),
                directories=directories,
                private=[str(folder.parent)],
            )

    @property
    def needed(self) -> bool:
        """Whether the run cannot go on without the SDK's client."""
        return bool(self.app_tools or self.permissions)

    def left_over(self) -> Notice | None:
        """Returns a notice where the decision matched no pending call."""
        return self.permissions.left_over() if self.permissions else None
