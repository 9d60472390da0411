"""What is known of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_workers.protocol.v1.envelope import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

_TEXTS = (
    "queue",
    "tenant",
    "credential",
    "worker",
    "skill",
    "user",
    "host",
    "code",
    "session_id",
    "retry_of",
    "retried_as",
    "person",
)
_NUMBERS = ("priority", "attempts", "failures", "submitted", "run_at", "expires_at", "due", "begun", "ended")
_FIGURES = ("first_delta_ms", "duration_ms", "input_tokens", "output_tokens", "asking")
FIELDS = ("state", "attempt", *_TEXTS, *_NUMBERS, *_FIGURES, "cost_usd")
"""What the hash of a job has, besides the job."""


@dataclass(frozen=True, slots=True)
class RunStatus:
    """A run in the fleet.

    Attributes:
        run: Its id.
        state: ``scheduled``: waits for its time. ``queued``: for a slot. ``admitted``: on its way to one. ``running``.
            ``done``, ``error``, ``aborted``: has ended.
        attempt: Number of the attempt that began last; 0 where none has.
        fields: What else is known, by the names of ``agent-workers fleet status --json``; times in milliseconds since
            the epoch.
        job: The job as it was submitted, as JSON.
    """

    run: str
    state: str
    attempt: int
    fields: Mapping[str, Any]
    job: bytes

    @classmethod
    def read(cls, run: str, found: Mapping[bytes, bytes]) -> Self:
        """Reads the fields of a job's hash."""
        text = {name.decode(): value for name, value in found.items() if name != b"job"}
        fields: dict[str, Any] = {name: text[name].decode() for name in _TEXTS if text.get(name)}
        fields |= {name: int(text[name]) for name in (*_NUMBERS, *_FIGURES) if text.get(name)}
        if text.get("cost_usd"):
            fields["cost_usd"] = float(text["cost_usd"])
        state = text.get("state", b"").decode()
        return cls(run, state, int(text.get("attempt", 0)), fields, found.get(b"job", b""))

    @property
    def is_over(self) -> bool:
        """Whether the run has ended."""
        return self.state in TERMINAL

    def as_json(self) -> dict[str, Any]:
        """Returns what ``status --json`` shows."""
        return {"run": self.run, "state": self.state, "attempt": self.attempt, **self.fields}
