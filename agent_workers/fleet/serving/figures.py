"""What is noted of a run besides its events, for those who look at many."""

from __future__ import annotations

import time
from typing import Any

_ASKING = {"permission_request": 1, "question": 1, "permission_resolved": -1, "question_resolved": -1}
_TOKENS = ("input_tokens", "output_tokens")


class Figures:
    """Fields of a job's hash, as the events of an attempt change them.

    Attributes:
        first_delta_s: Seconds from the attempt's beginning to its first word; None before that.
    """

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._changed: dict[str, object] = {}
        self._asking = 0
        self.first_delta_s: float | None = None

    @property
    def age_s(self) -> float:
        """Seconds since the attempt began."""
        return time.monotonic() - self._begun

    def see(self, event: dict[str, Any]) -> None:
        """Takes the next event."""
        kind = event["type"]
        if kind == "delta" and self.first_delta_s is None:
            self.first_delta_s = self.age_s
            self._changed["first_delta_ms"] = round(self.first_delta_s * 1000)
        elif kind == "session":
            self._changed["session_id"] = event["session_id"]
        elif kind in _ASKING:
            self._asking = max(0, self._asking + _ASKING[kind])
            self._changed["asking"] = self._asking
        if kind in {"done", "error", "aborted"}:
            self._end(event)

    def _end(self, event: dict[str, Any]) -> None:
        self._changed |= {"asking": 0, "duration_ms": round(self.age_s * 1000)}
        if event.get("session_id"):
            self._changed["session_id"] = event["session_id"]
        if event.get("cost_usd") is not None:
            self._changed["cost_usd"] = event["cost_usd"]
        usage = event.get("usage") or {}
        self._changed |= {name: usage[name] for name in _TOKENS if isinstance(usage.get(name), int)}

    def changed(self) -> dict[str, object]:
        """Returns what has changed and is not written yet."""
        return dict(self._changed)

    def note_written(self, fields: dict[str, object]) -> None:
        """Forgets what has been written, unless it has changed again since."""
        for name, value in fields.items():
            if self._changed.get(name) == value:
                del self._changed[name]
