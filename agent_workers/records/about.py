"""What is known of a run besides its events: its request, and what whoever records it knows. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = 191
"""The longest id or name, in characters: what an index of MariaDB and of older MySQL takes in utf8mb4."""
TITLE = 255
MOST_ATTEMPTS = 2**31 - 1
"""What its column takes."""
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?Z?")


def moment(text: object) -> str | None:
    """Returns a UTC time as it stands in a row, such as ``2026-11-20 23:19:00.004``; None where it is none."""
    found = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    written = f"{found[1]} {found[2]}.{(found[3] or '0')[:3]:0<3}"
    try:
        datetime.fromisoformat(written)
    except ValueError:  # a day that no month has
        return None
    return written


def text_of(value: object) -> str | None:
    """Returns a text that is not empty, or None."""
    return value if isinstance(value, str) and value else None


@dataclass(frozen=True, slots=True)
class About:
    """A run, as it is known before its first event.

    Attributes:
        run: The run's id.
        at: When its question was asked, as in a row.
        request: The request; empty where it is not known.
        worker: The worker's name; that of ``start`` where it is None.
        user: For whom it runs; that of the request where it is None.
        tenant: For which customer of the application.
        subject: What it is about; that of the request where it is None.
        conversation_id: The conversation, as the application knows it; the session's id where it is None.
    """

    run: str
    at: str
    request: Mapping[str, Any] = field(default_factory=dict)
    worker: str | None = None
    user: str | None = None
    tenant: str | None = None
    subject: Any = None
    conversation_id: str | None = None

    @property
    def owner(self) -> str | None:
        """For whom it runs, as far as the request or its caller says."""
        return self.user or text_of(self.request.get("user")) or text_of(self.request.get("session_owner"))

    @property
    def attempt(self) -> int:
        """Which attempt of the run the request begins."""
        attempt = self.request.get("attempt")
        return attempt if type(attempt) is int and 1 < attempt <= MOST_ATTEMPTS else 1

    @property
    def session_id(self) -> str | None:
        """The session that the request names and that its run writes; None for a new one, and for a fork."""
        session = self.request.get("session")
        if not isinstance(session, dict) or session.get("fork"):
            return None
        return text_of(session.get("resume")) or text_of(session.get("id"))

    @property
    def question(self) -> Any:
        """What is asked: the prompt, a skill's input, or a tool's name and input; None where it is not known."""
        if "prompt" in self.request:
            return self.request["prompt"]
        if "tool" in self.request:
            return {"tool": self.request["tool"], "input": self.request.get("input", {})}
        return self.request.get("input") if "skill" in self.request else None

    @property
    def runs_tool(self) -> bool:
        """Whether a tool is run, and no model is asked."""
        return "tool" in self.request and "prompt" not in self.request


def first_line(question: Any) -> str | None:
    """Returns the first line of a question that says something; None where it has no text."""
    if isinstance(question, list):
        texts = [block["text"] for block in question if isinstance(block, dict) and isinstance(block.get("text"), str)]
        question = "\n".join(texts)
    if not isinstance(question, str):
        return None
    return next((line.strip() for line in question.splitlines() if line.strip()), None)
