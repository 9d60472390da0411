"""What was done to lines that do not follow each other: found by what each names, and by their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.chain import BEGINNING
from agent_workers.proof.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent_workers.proof.record import Record


def explain(region: Sequence[Record], *, is_first: bool, is_known: bool) -> Iterator[Finding]:
    """Yields what was done to lines.

    Args:
        region: The lines, in their order in the file.
        is_first: Whether the first one is the first of its attempt; else it is in its place.
        is_known: Whether the last one is known to be what was written.
    """
    damage = _Damage(region, is_first=is_first, is_known=is_known)
    yield from damage.found()


class _Damage:
    def __init__(self, region: Sequence[Record], *, is_first: bool, is_known: bool) -> None:
        self._region = region
        self._is_known = is_known
        heads = [record.head for record in region]
        self._copies = [place for place, head in enumerate(heads) if head in heads[:place]]
        beginning = (place for place, record in enumerate(region) if record.prev == BEGINNING)
        self._begin = next(beginning, 0) if is_first else 0
        self._left = [place for place in range(len(region)) if place not in {self._begin, *self._copies}]
        self._after: dict[str, list[int]] = {}
        for place, record in enumerate(region):
            if record.prev is not None:
                self._after.setdefault(record.prev, []).append(place)

    def found(self) -> Iterator[Finding]:
        path = [self._begin]
        told: set[int] = set()
        while True:
            follower = self._follower(path[-1])
            if follower is None:
                follower = self._next_by_number(path[-1])
                if follower is None:
                    break
                for finding in self._broken(path[-1], follower):
                    if finding.line not in told:
                        told.add(finding.line)
                        yield finding
            path.append(follower)
            self._left.remove(follower)
        yield from self._reordered(path)
        yield from (self._added(place) for place in sorted([*self._left, *self._copies]))

    def _follower(self, place: int) -> int | None:
        """Returns the place of the line that names the one at a place; of several, the one that others name."""
        named = [each for each in self._after.get(self._region[place].head, []) if each in self._left]
        return min(named, key=lambda each: (not self._is_followed(each), not self._is_last(each), each), default=None)

    def _next_by_number(self, place: int) -> int | None:
        """Returns the place of the line that comes next though it does not name this one; None where none is left.

        A line that others follow was written there; one that nothing follows, and that is no next one, was added.
        """
        record, followed, fits = self._region[place], [], self._fits(place)
        for each in self._left:
            if self._region[each].prev in (None, BEGINNING):
                continue
            if self._is_followed(each) or self._is_last(each) or self._is_next(record, self._region[each]):
                followed.append(each)
        if not followed:
            return None
        return min(followed, key=lambda each: (fits and not self._is_next(record, self._region[each]), each))

    @staticmethod
    def _is_next(record: Record, other: Record) -> bool:
        return record.seq is not None and other.seq == record.seq + 1

    def _is_last(self, place: int) -> bool:
        return place == len(self._region) - 1

    def _is_followed(self, place: int) -> bool:
        return self._region[place].head in self._after

    def _broken(self, place: int, follower: int) -> Iterator[Finding]:
        before, after = self._region[place], self._region[follower]
        if before.seq is None or not self._fits(place):
            yield _changed(before, f"was changed: line {after.line} names another one before it")
        elif after.seq is None:
            yield _changed(after, "was changed: it is no event of a run any more")
        elif after.seq == before.seq + 1:
            yield self._one_of(before, after, is_last=self._is_last(follower), is_followed=self._is_followed(follower))
        elif after.seq > before.seq:
            missing = _numbers(before.seq + 1, after.seq - 1)
            yield Finding("dropped", after.line, after.seq, f"{missing} before it is missing", after.run)
        else:
            words = f"what comes before it, from seq 1 to {after.seq - 1}, is missing"
            yield Finding("dropped", after.line, after.seq, words, after.run)

    def _one_of(self, before: Record, after: Record, *, is_last: bool, is_followed: bool) -> Finding:
        """Tells which of two lines was changed: a later one that the next line names was not."""
        if is_followed or (is_last and self._is_known):
            return _changed(before, f"was changed: line {after.line} names another one before it")
        if is_last:
            words = f"was changed, or the prev of line {after.line}, which names another one before it"
            return _changed(before, words)
        return _changed(after, f"was changed: it does not name line {before.line}, and no line names it")

    def _fits(self, place: int) -> bool:
        """Whether a line has the number that it should have after the one that it names."""
        record = self._region[place]
        if record.seq is None or record.prev == BEGINNING:
            return record.seq == 1
        named = next((each for each in self._region if each.head == record.prev), None)
        return named is None or named.seq is None or record.seq == named.seq + 1

    def _reordered(self, path: list[int]) -> Iterator[Finding]:
        wrong = sorted(place for place, right in zip(path, sorted(path), strict=True) if place != right)
        if wrong:
            first, last = self._region[wrong[0]], self._region[wrong[-1]]
            lines = ", ".join(str(self._region[place].line) for place in wrong)
            words = f"stands in another order than it was written: lines {lines}"
            if first.line == last.line:
                words = "stands at another place than it was written"
            yield Finding("reordered", first.line, first.seq, words, first.run)

    def _added(self, place: int) -> Finding:
        record = self._region[place]
        copy = next((each for each in self._region[:place] if each.head == record.head), None)
        words = f"was added: it is a copy of line {copy.line}" if copy else "was added: nothing names it"
        return Finding("added", record.line, record.seq, words, record.run)


def _changed(record: Record, words: str) -> Finding:
    return Finding("changed", record.line, record.seq, words, record.run)


def _numbers(first: int, last: int) -> str:
    return f"seq {first}" if first == last else f"seq {first} to {last}"
