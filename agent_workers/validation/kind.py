"""What a file holds, where nobody says it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent_workers.protocol.v1.control import MESSAGES
from agent_workers.validation.job import OWN_FIELDS
from agent_workers.validation.request import worker_of
from agent_workers.workers import schema_name

if TYPE_CHECKING:
    from collections.abc import Iterator


def kind_of(data: bytes) -> str:
    """Decides by the first line that says what it is; whatever says nothing is taken for a request."""
    request = None
    for document in _documents(data):
        if "seq" in document and "type" in document:
            return "events"
        if document.get("type") in MESSAGES and "id" in document:
            return "control"
        if request is None and OWN_FIELDS & document.keys():
            return "job"
        worker = worker_of(document)
        if request is None or worker.own_required_fields:
            request = worker
    return schema_name((request or worker_of(None)).name)


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
