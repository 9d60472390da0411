"""What a reader that follows the deltas has in hand at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class FinalText:
    """The text of the deltas since the last tool call, without what was discarded."""

    def __init__(self) -> None:
        self._texts: dict[object, list[str]] = {}

    def feed(self, event: dict[str, Any]) -> Iterator[str]:
        """Follows one event; yields what is wrong with a ``done.text``."""
        kind = event.get("type")
        if kind == "delta" and isinstance(event.get("text"), str):
            self._texts.setdefault(event.get("block"), []).append(event["text"])
        elif kind == "tool_call" and "parent_tool_use_id" not in event:
            self._texts.clear()  # what was said before a tool call is not the final answer
        elif kind == "discard" and isinstance(event.get("blocks"), list):
            for block in event["blocks"]:
                self._texts.pop(block, None)
        elif kind == "done" and isinstance(event.get("text"), str) and not self._is_of_a_tool(event):
            yield from self._faults(event["text"], cut="truncated_bytes" in event)

    def _is_of_a_tool(self, done: dict[str, Any]) -> bool:
        """Tells whether no model has spoken: the text is what a tool has answered."""
        return done.get("turns") == 0 and not self._texts

    def _faults(self, told: str, *, cut: bool) -> Iterator[str]:
        text = "".join(piece for pieces in self._texts.values() for piece in pieces)
        if cut and not text.startswith(told):
            yield "is not the beginning of the deltas of the final answer"
        elif not cut and told != text:
            yield f"has {len(told)} characters and is not the {len(text)} that the deltas of the final answer come to"
