"""Events as plain text that only ever grows: for pipes, files and terminals that cannot redraw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.cli.harmless import harmless
from agent_workers.cli.terminal.narration import Narrator, superseded
from agent_workers.cli.terminal.outputs import RunningLines
from agent_workers.protocol.v1.events import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.text import Text


class Plain:
    """The plain form of one run. Nothing is ever held back, so it never needs to be painted again.

    Args:
        person: Whether its reader is asked and answers, at a prompt that is not drawn here.
    """

    behind = False

    def __init__(self, *, person: bool = False) -> None:
        self._narrator = Narrator(person=person)
        self._outputs = RunningLines()
        self._speaking: str | None = None
        self._at_line_start = True

    def feed(self, event: dict[str, Any]) -> str:
        """Returns what to write for an event."""
        kind = event.get("type", "")
        if kind in ("delta", "thinking"):
            return self._speak(kind, harmless(str(event.get("text", ""))))
        if kind == "tool_output":
            return self._told(self._outputs.feed(event, self._narrator.calls.prints(event)))
        ended = self._told(self._settled(event))
        words = superseded(event.get("reason")) if kind == "discard" else self._narrator.narrate(event)
        return ended + (self._told([words]) if words else "")

    def _settled(self, event: dict[str, Any]) -> list[Text]:
        if event.get("type") == "tool_result":
            return self._outputs.settle(str(event.get("tool_use_id")))
        is_over = event.get("type") in TERMINAL or self._narrator.begins_anew(event)
        return self._outputs.settle_all() if is_over else []

    def _told(self, lines: Iterable[Text]) -> str:
        text = "".join(f"{line.plain}\n" for line in lines)
        if not text:
            return ""
        self._speaking = None
        return self._written(self._new_line() + text)

    def _speak(self, kind: str, text: str) -> str:
        lead = ""
        if kind != self._speaking:
            self._speaking = kind
            lead = self._new_line() + ("thinking: " if kind == "thinking" else "")
        return self._written(lead + text)

    def _new_line(self) -> str:
        return "" if self._at_line_start else "\n"

    def _written(self, text: str) -> str:
        if text:
            self._at_line_start = text.endswith("\n")
        return text

    def paint(self) -> str:
        """Has nothing to catch up on."""
        return ""

    def make_room(self) -> str:
        """Returns what to write so that others may write below."""
        self._speaking = None
        return self._written(self._new_line())
