"""What is kept of a line once it was read: enough to say where it belongs, and no more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from agent_workers.chain import head_of, prev_of


@dataclass(frozen=True, slots=True)
class Record:
    """A line of a transcript.

    Attributes:
        line: Its number in the file, from 1.
        head: Its SHA-256: what the next line has to name.
        prev: What it names itself; None for nothing.
        seq: Its number in its run; None where it is no event.
        run: The run's id; empty where it is no event.
        type: The event's type; empty where it is no event.
    """

    line: int
    head: str
    prev: str | None
    seq: int | None
    run: str
    type: str


def read(number: int, data: bytes) -> tuple[Record, dict[str, Any]]:
    """Reads a line, given without its newline; returns its event, too, empty where it is none."""
    event = _event(data)
    seq, run, kind, prev = (event.get(name) for name in ("seq", "run", "type", "prev"))
    record = Record(
        line=number,
        head=head_of(data),
        prev=prev_of(data) or (prev if isinstance(prev, str) else None),  # a line may have been written anew
        seq=seq if type(seq) is int else None,
        run=run if isinstance(run, str) else "",
        type=kind if isinstance(kind, str) else "",
    )
    return record, event


def _event(data: bytes) -> dict[str, Any]:
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}
