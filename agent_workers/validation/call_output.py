"""What tools print, and the calls that it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class CallOutput:
    """The calls of a run, as far as what they print has to stand between each and its result."""

    def __init__(self) -> None:
        self._open: set[object] = set()
        self._ended: set[object] = set()

    def feed(self, event: dict[str, Any]) -> Iterator[str]:
        """Follows one event; yields what is wrong with the call that a ``tool_output`` names."""
        call = event.get("tool_use_id")
        if not isinstance(call, str):
            return
        match event.get("type"):
            case "tool_call":
                self._open.add(call)
            case "tool_result":
                self._open.discard(call)
                self._ended.add(call)
            case "tool_output" if call not in self._open:
                yield "has its tool_result already" if call in self._ended else "names no tool_call before it"
