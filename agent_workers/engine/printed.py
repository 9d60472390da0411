"""What one call of a tool prints: joined to few pieces, decoded, and bounded. Pure: no I/O, no clock of its own."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from agent_workers.protocol.v1.events import ToolOutput
from agent_workers.wire import MAX_LINE, dump

if TYPE_CHECKING:
    from collections.abc import Iterator

BOUND = 1 << 20
"""Bytes of one call that are sent."""
PIECE_S = 0.05
"""Seconds between two pieces: at most 20 a second."""
PIECE = 192 << 10
"""Bytes that one piece may hold."""
_LINE = MAX_LINE - 4096  # what the envelope and the other fields take is less
_ESCAPED = 12  # bytes that a character takes at most


class Printed:
    """The output of one call, from what a tool printed to events.

    Args:
        tool_use_id: The call.
    """

    def __init__(self, tool_use_id: str) -> None:
        self.tool_use_id = tool_use_id
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._text = ""
        self._room = BOUND
        self._left_out = 0
        self._again_at = 0.0

    @property
    def room(self) -> int:
        """Bytes that may still be added; what is added beyond them is only counted."""
        return self._room

    @property
    def has_begun(self) -> bool:
        """Whether anything was added."""
        return self._room < BOUND

    def add(self, data: bytes) -> None:
        """Adds what was printed; it may end within a character."""
        taken = data[: self._room]
        self._room -= len(taken)
        self._text += self._decode(taken)
        self.leave_out(len(data) - len(taken))

    def leave_out(self, count: int) -> None:
        """Counts bytes that are not sent."""
        self._left_out += count

    def is_due(self, now: float) -> bool:
        """Tells whether the next piece may be sent."""
        return now >= self._again_at

    def piece(self, now: float) -> ToolOutput | None:
        """Returns the next piece; None where there is nothing to send, or the last one was sent just now."""
        if not self._text or not self.is_due(now):
            return None
        self._again_at = now + PIECE_S
        return self._event(self._cut())

    def rest(self) -> Iterator[ToolOutput]:
        """Yields all that is left when the call has ended; the last event says how many bytes were left out."""
        self._text += self._decode(b"", final=True)
        left_out = self._left_out or None
        while self._text:
            text = self._cut()
            yield self._event(text, None if self._text else left_out)
            if not self._text:
                return
        if left_out:
            yield self._event("", left_out)

    def _event(self, text: str, left_out: int | None = None) -> ToolOutput:
        # Whoever runs a command gets both of its streams as one: only so their order is that of the writing.
        return ToolOutput(tool_use_id=self.tool_use_id, stream="stdout", text=text, truncated_bytes=left_out)

    def _cut(self) -> str:
        """Takes as much of the text as a line holds."""
        length = min(len(self._text), PIECE)
        while length * _ESCAPED > _LINE and len(dump(self._text[:length])) > _LINE:
            length //= 2
        text, self._text = self._text[:length], self._text[length:]
        return text
