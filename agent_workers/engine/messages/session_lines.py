"""The lines of a session's file: bytes to messages, and messages to what the API takes. Pure."""

from __future__ import annotations

import json
from typing import Any

from agent_workers.protocol.value import MAX_DEPTH, json_fault

Message = dict[str, Any]

_INTERRUPTED = "The call was interrupted: what it has done is not known."
_THOUGHTS = ("thinking", "redacted_thinking")
_ROLES = ("user", "assistant")
_TEXTS = {"text": ("text",), "tool_use": ("id", "name"), "tool_result": ("tool_use_id",)}
"""What is text in blocks of these kinds."""


class Damaged(ValueError):
    """Raised where a line is no message."""


def lines_of(data: bytes) -> tuple[list[Message], int]:
    """Returns the messages, and how many bytes of the data they take: all but a last line that was cut off.

    Raises:
        Damaged: Any other line is no message.
    """
    messages: list[Message] = []
    *whole, last = data.split(b"\n")
    for number, line in enumerate(whole, start=1):
        if (message := _message(line)) is None:
            raise Damaged(f"line {number} is no message")
        messages.append(message)
    if message := _message(last):  # only its end is missing
        return [*messages, message], len(data)
    return messages, len(data) - len(last)


def mended(lines: list[Message]) -> list[Message]:
    """Returns the messages so that the API takes them: each call has a result, and no message is empty."""
    found: list[Message] = []
    for line in lines:
        content = [block for block in line["content"] if _counts(block)]
        missing = _unanswered(found, content)
        if missing and line["role"] == "user":
            content = [*missing, *content]
        elif missing:
            found.append({"role": "user", "content": missing})
        if content:
            found.append({"role": line["role"], "content": content})
    if missing := _unanswered(found, []):
        found.append({"role": "user", "content": missing})
    return found


def _message(line: bytes) -> Message | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("role") not in _ROLES or not isinstance(found.get("content"), list):
        return None
    if not isinstance(found.get("model", ""), str) or not all(map(_is_block, found["content"])):
        return None
    nests = line.count(b"[") + line.count(b"{") > MAX_DEPTH  # else it cannot be too deep, and looking takes time
    return None if nests and json_fault(found["content"]) else found


def _is_block(block: Any) -> bool:
    if not isinstance(block, dict) or not isinstance(block.get("type"), str):
        return False
    kind = block["type"]
    if kind in ("image", "document"):
        source = block.get("source")
        return isinstance(source, dict) and isinstance(source.get("type"), str)
    if kind == "tool_use" and not isinstance(block.get("input"), dict):
        return False
    return all(isinstance(block.get(name), str) for name in _TEXTS.get(kind, ()))


def _counts(block: Message) -> bool:
    return block["type"] not in _THOUGHTS and (block["type"] != "text" or bool(block["text"].strip()))


def _unanswered(messages: list[Message], content: list[Message]) -> list[Message]:
    """Returns results for the calls of the last message that the content after it does not answer."""
    last = messages[-1] if messages and messages[-1]["role"] == "assistant" else {"content": []}
    answered = {block["tool_use_id"] for block in content if block["type"] == "tool_result"}
    calls = [block["id"] for block in last["content"] if block["type"] == "tool_use"]
    return [
        {"type": "tool_result", "tool_use_id": call, "content": _INTERRUPTED, "is_error": True}
        for call in calls
        if call not in answered
    ]
