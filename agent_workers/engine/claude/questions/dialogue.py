"""What the agent and the application have to say to each other during a run."""

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
    """One run's questions, and who deals with them.

    Args:
        request: What the run is asked to do.
        progress: Of the run.
        translator: Of the run.
        folder: Where calls that wait for a later run are noted.

    Attributes:
        questions: The open questions.
        app_tools: Runs the application's tools, where there are any.
        permissions: Decides on calls, where the CLI's own rules are not all.
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
        """What is to be said at the end of a decision that concerned no call."""
        return self.permissions.left_over() if self.permissions else None
