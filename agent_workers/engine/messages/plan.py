"""What one run is asked to do, and with what it does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from agent_workers.engine.host.sessions import Lease
    from agent_workers.engine.messages.api import Api
    from agent_workers.engine.messages.body import Frame
    from agent_workers.engine.messages.conversation import Conversation, History
    from agent_workers.engine.messages.models import Models
    from agent_workers.engine.messages.retries import Retries
    from agent_workers.protocol.v1.request import Request

    Given = AsyncGenerator[dict[str, Any]]


@dataclass(slots=True)
class Plan:
    """One run.

    Attributes:
        request: A valid request, granted by the host's policy.
        frame: What is the same in each of its calls.
        api: Who answers.
        owns_api: Whether no other run calls it, so that the engine opens and closes it.
        lease: The session that it writes.
        conversation: The session's file.
        history: What was said before.
        model: The model that answers first.
        models: What is known of models.
        retries: Its patience.
        max_turns: How often the model may be called for an answer; None for as often as it likes.
        given: The events of the first message, where it has been answered before; else None.
        lane: ``done.lane``.
    """

    request: Request
    frame: Frame
    api: Api
    owns_api: bool
    lease: Lease
    conversation: Conversation
    history: History
    model: str
    models: Models
    retries: Retries
    max_turns: int | None = None
    given: Given | None = None
    lane: str | None = None

    @property
    def is_conversation(self) -> bool:
        """Whether what is said is likely to be sent again, so that it is worth its place in the API's cache.

        Not where a skill runs, or one of many in a process, and names no session: each begins one that nobody resumes.
        """
        return self.request.session is not None or (self.owns_api and self.request.skill_use is None)

    def take_given(self) -> Given | None:
        """Returns the events of a message that has been answered before, once."""
        given, self.given = self.given, None
        return given
