"""Whether each line of a chained attempt names the one before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.chain import BEGINNING, head_of, prev_of

if TYPE_CHECKING:
    from collections.abc import Iterator


class Chained:
    """Follows the lines of one attempt; those of a worker that chains none have nothing wrong."""

    def __init__(self) -> None:
        self._before: bytes | None = None
        self._is_chained = False

    def feed(self, line: bytes, event: dict[str, Any]) -> Iterator[str]:
        """Takes the next line, without its newline; yields what is wrong with its ``prev``."""
        before, self._before = self._before, line
        if before is None:
            self._is_chained = "prev" in event
        if not self._is_chained:
            if "prev" in event:
                yield "stands here, but not in the lines before: all of an attempt have it, or none"
            return
        wanted = BEGINNING if before is None else head_of(before)
        if "prev" not in event:
            yield "is missing: all lines of an attempt have it, or none"
        elif event["prev"] != wanted:
            yield f"must be {wanted}, the SHA-256 of the line before it" if before else "must be 64 zeros"
        elif prev_of(line) != wanted:
            yield "must be the last field of the line"
