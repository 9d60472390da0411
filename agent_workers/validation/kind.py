"""What a file holds, where nobody says it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from agent_workers.protocol.v1.control import MESSAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["request", "task-request", "events", "control"]


def kind_of(data: bytes) -> Kind:
    """Decides by the first line that says what it is; whatever says nothing is taken for a request."""
    guess: Kind = "request"
    for document in _documents(data):
        if "seq" in document and "type" in document:
            return "events"
        if document.get("type") in MESSAGES and "id" in document:
            return "control"
        if "cwd" in document:
            guess = "task-request"
    return guess


def _documents(data: bytes) -> Iterator[dict[str, Any]]:
    for text in (data, *data.split(b"\n")):
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(document, dict):
            yield document
            if text is data:  # one document on many lines; its lines are none
                return
