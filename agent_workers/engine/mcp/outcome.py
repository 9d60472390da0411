"""What a tool has answered, as text and as JSON. Pure."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from agent_workers.wire import dump

# Half of a line: the other half is for the text and the envelope.
_MAX_OUTPUT = 128 * 1024
_INTERNAL_ERROR = -32603
_BYTES = ("data", "blob")


class Outcome(NamedTuple):
    """The end of a call.

    Attributes:
        failed: Whether the tool says that it has failed.
        retryable: Whether the same call may succeed later; None where it has not failed.
        text: The result as text; parts that are no text are named in square brackets.
        output: The result as JSON; None where an event has no room for it.
        left_out: How many bytes of JSON were left out.
    """

    failed: bool
    retryable: bool | None
    text: str
    output: Any = None
    left_out: int = 0


def outcome_of(result: dict[str, Any]) -> Outcome:
    """Returns the outcome of a call that the tool has answered; what it calls an error, it would call one again."""
    blocks = result.get("content") or []
    text = "\n".join(map(_text, blocks))
    output = result.get("structuredContent")
    if output is None:
        output = [_named(block) for block in blocks]
    failed = bool(result.get("isError"))
    output, left_out = _fitting(output)
    return Outcome(failed, False if failed else None, text, output, left_out)


def failure_of(code: int, message: str) -> Outcome:
    """Returns the outcome of a call that the server has answered with an error of the protocol."""
    return Outcome(True, code == _INTERNAL_ERROR, message, *_fitting([{"type": "text", "text": message}]))


def _text(block: dict[str, Any]) -> str:
    """Returns a part as text, as the result of an agent's call has it."""
    if block.get("type") == "resource":
        inside = block.get("resource") or {}
        return inside.get("text") or "[resource]"
    return block.get("text") or ("" if block.get("type") == "text" else f"[{block.get('type', 'unknown')}]")


def _named(block: dict[str, Any]) -> dict[str, Any]:
    """Returns a part without empty fields, and with a name in place of bytes: nobody reads them in a line of JSON."""
    kept = {name: value for name, value in block.items() if value is not None}
    for name in _BYTES:
        if name in kept:
            kept[name] = f"[{kept.get('type', 'blob')}]"
    if isinstance(kept.get("resource"), dict):
        kept["resource"] = _named(kept["resource"])
    return kept


def _fitting(output: Any) -> tuple[Any, int]:
    try:
        size = len(dump(output))
    except ValueError:
        output = _finite(output)
        size = len(dump(output))
    return (None, size) if size > _MAX_OUTPUT else (output, 0)


def _finite(value: Any) -> Any:
    """Returns the value with null for what JSON has no number for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list) else value
