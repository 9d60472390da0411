"""What a webhook says of a run: at most 20 kB, and what was left out for that is named."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from agent_workers.protocol.v1.envelope import TERMINAL
from agent_workers.wire import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES = 20_000
_LEAVING_OUT = ("models", "denials", "metadata", "details", "input", "questions")
"""Fields of an event that are left out first, where it is too long."""
_ASKED = ("permission_request", "question")
_KINDS = {**dict.fromkeys(TERMINAL, "run.ended"), **dict.fromkeys(_ASKED, "run.asked")}
_IDS = {"permission_request": "permission_id", "question": "question_id"}


def kind_of(event: Mapping[str, Any]) -> str | None:
    """Returns what an event is told as: ``run.ended``, ``run.asked``, or None where it is not told."""
    return _KINDS.get(event["type"])


def name_of(run: str, event: Mapping[str, Any]) -> str:
    """Returns the webhook's id: the same each time that it is sent, and after a restart."""
    asked = _IDS.get(event["type"])
    # It is a header, and the id may be a stranger's machine's.
    return f"{run}.{quote(str(event.get(asked)), safe=':', errors='replace')}" if asked else f"{run}.end"


def message(about: Mapping[str, Any], event: Mapping[str, Any], line: bytes) -> bytes:
    """Returns the body of a webhook.

    Args:
        about: Whose run it is, and what it is about.
        event: The event that is told.
        line: The same, as it was written.
    """
    told = {name: value for name, value in event.items() if name not in ("v", "run")}
    data: dict[str, Any] = {**about, "event": told}
    data |= {name: event[name] for name in ("usage", "cost_usd", "session_id") if event.get(name) is not None}
    if event["type"] in TERMINAL:
        data["state"] = event["type"]
        if "prev" in event:
            data["chain_head"] = hashlib.sha256(line).hexdigest()
    return _fitted({"type": kind_of(event), "timestamp": timestamp(datetime.now(UTC)), "data": data})


def _fitted(body: dict[str, Any]) -> bytes:
    event, left_out = body["data"]["event"], []
    for name in _LEAVING_OUT:
        if len(_written(body)) <= MOST_BYTES:
            break
        if event.pop(name, None) is not None:
            left_out.append(f"event.{name}")
            body["data"]["truncated"] = left_out
    for name in sorted(("text", "output", "message"), key=lambda each: -len(_written(event.get(each)))):
        if len(_written(body)) <= MOST_BYTES:
            break
        left_out.append(f"event.{name}")
        body["data"]["truncated"] = left_out
        _cut(body, name)
    return _written(body)


def _cut(body: dict[str, Any], name: str) -> None:
    """Leaves as much of a text as fits, and nothing of what is none."""
    event = body["data"]["event"]
    text = event.pop(name)
    if not isinstance(text, str):
        return
    least, most = 0, len(text)
    while least < most:
        event[name] = text[: (middle := (least + most + 1) // 2)]
        least, most = (middle, most) if len(_written(body)) <= MOST_BYTES else (least, middle - 1)
    event[name] = text[:least]


def _written(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
