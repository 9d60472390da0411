"""What a run's events change in the tables, as it is passed on and waits on disk. Pure."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

Row = dict[str, Any]

CONVERSATIONS = "agent_conversations"
RUNS = "agent_runs"
MESSAGES = "agent_messages"
USAGE = "agent_usage"
EVENTS = "agent_events"
INSIGHTS = "agent_insights"
TABLES = (CONVERSATIONS, RUNS, MESSAGES, USAGE, EVENTS, INSIGHTS)
CONTENTS = (MESSAGES, EVENTS, INSIGHTS)
"""The tables that hold what was said; the others say who, when and at what cost."""


class Put(NamedTuple):
    """A row is written, or written anew.

    Attributes:
        table: Name of the table, without a prefix.
        row: All columns but the ids that the database gives.
        run_id: The run that it tells of.
        attempt: Which attempt of that.
    """

    table: str
    row: Row
    run_id: str
    attempt: int


class Forget(NamedTuple):
    """The messages of the attempts before this one are removed.

    Attributes:
        run_id: The run.
        attempt: The attempt that begins.
    """

    run_id: str
    attempt: int


class Withdraw(NamedTuple):
    """A text is removed, because its block was discarded."""

    run_id: str
    attempt: int
    seq: int


class Lost(NamedTuple):
    """A run has ended without a word; nothing is changed where an end is known.

    Attributes:
        run_id: The run.
        status: ``error`` or ``aborted``.
        code: The error's code, or why it was aborted.
        at: When.
    """

    run_id: str
    status: str
    code: str
    at: str


class Dropped(NamedTuple):
    """Contents were dropped, because there was no room left for them.

    Attributes:
        rows: How many.
    """

    rows: int


Change = Put | Forget | Withdraw | Lost | Dropped
_KINDS: dict[str, type[Change]] = {"put": Put, "forget": Forget, "withdraw": Withdraw, "lost": Lost, "dropped": Dropped}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def to_line(change: Change) -> bytes:
    """Returns a change as a line of JSON."""
    return json.dumps([_NAMES[type(change)], *change], separators=(",", ":")).encode() + b"\n"


def to_lines(changes: list[Change]) -> bytes:
    """Returns changes as lines of JSON."""
    return b"".join(map(to_line, changes))


def from_line(line: bytes) -> Change | None:
    """Reads a change; None where the line is none, as the last one of a process that was killed may be."""
    try:
        name, *fields = json.loads(line)
        change = _KINDS[name](*fields)
        is_known = not isinstance(change, Put) or (change.table in TABLES and isinstance(change.row, dict))
        return change if is_known else None  # else it is another version's
    except (ValueError, TypeError, KeyError):
        return None


def is_content(change: Change) -> bool:
    """Whether it is what was said, and not who said it, when and at what cost."""
    return isinstance(change, Withdraw) or (isinstance(change, Put) and change.table in CONTENTS)


def contents_in(changes: list[Change]) -> int:
    """Returns how many rows of content there are among changes."""
    return sum(isinstance(change, Put) and is_content(change) for change in changes)


def settled(changes: list[Change]) -> list[Change]:
    """Returns changes that come to the same, with each run and conversation written once, as it is at their end."""
    places: dict[tuple[object, ...], int] = {}
    found: list[Change] = []
    for change in changes:
        if isinstance(change, Put) and change.table in (RUNS, CONVERSATIONS):
            place = places.setdefault(_key(change), len(found))
            if place < len(found):
                found[place] = change
                continue
        found.append(change)
    return found


def metadata_of(changes: list[Change]) -> list[Change]:
    """Returns what must not be lost of changes: the last state of each row that is no content, and what was dropped."""
    rows: dict[tuple[object, ...], Change] = {}
    dropped = contents_in(changes)
    for change in changes:
        if isinstance(change, Dropped):
            dropped += change.rows
        elif isinstance(change, Forget | Lost):
            rows[change] = change
        elif isinstance(change, Put) and not is_content(change):
            rows[_key(change)] = change
    # An attempt's run stands first: by its row the writer knows which attempt counts.
    kept = sorted(rows.values(), key=lambda change: (_attempt_of(change), not _is_run(change)))
    return [*([Dropped(dropped)] if dropped else []), *kept]


def _key(put: Put) -> tuple[object, ...]:
    model = put.row["model"] if put.table == USAGE else None
    return put.table, put.row.get("id"), put.run_id, model, put.attempt


def _attempt_of(change: Change) -> int:
    return change.attempt if isinstance(change, Put | Forget) else 0


def _is_run(change: Change) -> bool:
    return isinstance(change, Put) and change.table == RUNS
