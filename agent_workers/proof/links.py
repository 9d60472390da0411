"""The lines of one attempt: does each name the one before it. Keeps a few of them, however many there are."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from agent_workers.chain import BEGINNING
from agent_workers.proof.damage import explain
from agent_workers.proof.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.proof.record import Record

_KEPT = 64
"""Lines before a fault that are looked at: what stands further from its place is added here and missing there."""
_SOUND = 2
"""Links that hold again, after which a damage has ended."""
_MOST = 512
"""Lines of one damage at most; what follows is told apart."""


class Links:
    """Follows the chain of one attempt.

    Args:
        heads: What is known to be the SHA-256 of a last line, in hex.

    Attributes:
        last: The last line that was taken.
        lines: How many were taken.
    """

    def __init__(self, heads: frozenset[str] = frozenset()) -> None:
        self._heads = heads
        self._before: deque[Record] = deque(maxlen=_KEPT)
        self._region: list[Record] = []
        self._sound = 0
        self.last: Record | None = None
        self.lines = 0

    def take(self, record: Record) -> Iterator[Finding]:
        """Takes the next line; yields what is wrong up to here, as soon as it can be said."""
        self.lines += 1
        before, self.last = self.last, record
        is_named = record.prev == (before.head if before else BEGINNING)
        if self._region:
            self._region.append(record)
            self._sound = self._sound + 1 if is_named else 0
            if self._sound >= _SOUND or len(self._region) >= _MOST:
                yield from self._explained(is_known=self._sound > 0)
        elif before is None and record.seq != 1 and not is_named:
            self._region = [record]
        elif before is None:
            yield from _first(record)
        elif not is_named:
            self._region = [*self._from(record.prev), record]
        elif before.seq is not None and record.seq != before.seq + 1:
            words = f"was changed: its number is {_told(record.seq)} where {before.seq + 1} is next"
            yield Finding("changed", record.line, record.seq, words, record.run or before.run)
        self._before.append(record)

    def skip(self, record: Record) -> None:
        """Takes a line of a run that has not been found to be chained."""
        self.lines += 1
        self.last = record
        self._before.append(record)

    def end(self) -> Iterator[Finding]:
        """Yields what is wrong with the last lines, once there are no more."""
        if self._region:
            yield from self._explained(is_known=bool(self.last and self.last.head in self._heads))

    def _from(self, prev: str | None) -> list[Record]:
        """Returns the last lines: from before the one that is named, or two where that is not among them."""
        kept = list(self._before)
        named = next((place for place in range(len(kept) - 1, -1, -1) if kept[place].head == prev), len(kept) - 1)
        return kept[max(0, named - 1) :]

    def _explained(self, *, is_known: bool) -> Iterator[Finding]:
        region, self._region, self._sound = self._region, [], 0
        is_first = len(region) == self.lines
        if is_first and not any(record.prev == BEGINNING for record in region):
            yield from _first(region[0])
        yield from explain(region, is_first=is_first, is_known=is_known)


def _first(record: Record) -> Iterator[Finding]:
    """Yields what is wrong with the first line of an attempt."""
    if record.seq == 1 and record.prev == BEGINNING:
        return
    if record.seq == 1 or record.prev == BEGINNING or record.seq is None:
        words = "was changed: the first line of an attempt has seq 1, and names 64 zeros"
        yield Finding("changed", record.line, record.seq, words, record.run)
    else:
        words = f"what comes before it, from seq 1 to {record.seq - 1}, is missing"
        yield Finding("dropped", record.line, record.seq, words, record.run)


def _told(seq: int | None) -> str:
    return "none" if seq is None else str(seq)
