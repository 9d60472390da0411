"""The envelope of an event, as it is written: without the models, since each event passes here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.protocol.v1 import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

TERMINAL = ("done", "error", "aborted")
"""Exactly one event of these types ends a run; it is the last line."""


def envelop(fields: dict[str, Any], *, seq: int, run: str, ts: str) -> dict[str, Any]:
    """Puts a body's fields into the envelope, in the order of the wire: v, seq, run, ts, type, the event's own.

    Nothing is checked here, because each event of a run passes here.
    """
    return {"v": VERSION, "seq": seq, "run": run, "ts": ts, **fields}


def attempt_begun(event: Mapping[str, Any]) -> int | None:
    """Returns which attempt of its run an event begins, 1 for the first; None where it is no ``start``."""
    if event.get("type") != "start":
        return None
    attempt = event.get("attempt")
    return attempt if type(attempt) is int and attempt > 1 else 1
