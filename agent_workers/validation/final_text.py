"""What a reader that follows the deltas has in hand at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def block_key(block: Any) -> object:
    """Returns what the texts of a block are kept by, whatever a worker has put there."""
    return block if isinstance(block, (int, float, str)) else None


class FinalText:
    """The text of the deltas since the last tool call, without what was discarded."""

    def __init__(self) -> None:
        self._texts: dict[object, list[str]] = {}

    def feed(self, event: dict[str, Any]) -> Iterator[str]:
        """Follows one event; yields what is wrong with a ``done.text``."""
        kind = event.get("type")
        if kind == "delta" and isinstance(event.get("text"), str):
            self._texts.setdefault(block_key(event.get("block")), []).append(event["text"])
        elif kind == "tool_call" and "parent_tool_use_id" not in event:
            self._texts.clear()  # what was said before a tool call is not the final answer
        elif kind == "discard" and isinstance(event.get("blocks"), list):
            for block in event["blocks"]:
                self._texts.pop(block_key(block), None)
        elif kind == "done" and isinstance(event.get("text"), str) and not self._is_of_a_tool(event):
            yield from self._faults(event["text"], event.get("truncated_bytes"))

    def _is_of_a_tool(self, done: dict[str, Any]) -> bool:
        """Tells whether no model has spoken: the text is what a tool has answered."""
        return done.get("turns") == 0 and not self._texts

    def _faults(self, told: str, missing: object) -> Iterator[str]:
        text = "".join(piece for pieces in self._texts.values() for piece in pieces)
        left_out = len(text[len(told) :].encode())
        if missing is not None and not text.startswith(told):
            yield "is not the beginning of the deltas of the final answer"
        elif isinstance(missing, int) and missing < left_out:  # another field may have been cut, too
            yield f"lacks {left_out} bytes of the final answer, of which truncated_bytes names {missing}"
        elif missing is None and told != text:
            yield f"has {len(told)} characters and is not the {len(text)} that the deltas of the final answer come to"
