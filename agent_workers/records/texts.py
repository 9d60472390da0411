"""Deltas, joined to the texts of their blocks. Pure."""

from __future__ import annotations

from typing import NamedTuple

LONGEST = 1024 * 1024
"""Characters of the longest content that is kept: some take seven bytes, and MariaDB takes 16 MiB at once."""
ENDING = frozenset(
    {
        *("thinking", "tool_call", "tool_result", "app_tool_call", "permission_request", "permission_resolved"),
        *("question", "question_resolved", "steered", "done", "error", "aborted"),
    }
)
"""Types of the events that end a block; so does a delta of another one. Others may stand within it."""


class Text(NamedTuple):
    """A text whose block has ended; None where it is too long to be kept."""

    block: int
    text: str | None


class Texts:
    """The block that is being written, and which row each block has become."""

    def __init__(self) -> None:
        self._block: int | None = None
        self._pieces: list[str] = []
        self._length = 0
        self._rows: dict[int, list[int]] = {}

    def add(self, block: int, text: str) -> Text | None:
        """Takes a delta; returns the text of another block that ends with it."""
        ended = self.end() if self._block not in (None, block) else None
        self._block = block
        self._length += len(text)
        if self._length <= LONGEST:
            self._pieces.append(text)
        return ended

    def end(self) -> Text | None:
        """Ends the block that is being written; None where there is none, or it is empty."""
        block, pieces, length = self._block, self._pieces, self._length
        self._block, self._pieces, self._length = None, [], 0
        if block is None or not length:
            return None
        return Text(block, "".join(pieces) if length <= LONGEST else None)

    def note(self, block: int, seq: int) -> None:
        """Notes which row a text has become."""
        self._rows.setdefault(block, []).append(seq)

    def discard(self, block: int) -> list[int]:
        """Forgets a block; returns the rows that it has become."""
        if block == self._block:
            self.end()
        return self._rows.pop(block, [])
