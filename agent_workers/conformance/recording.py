"""What a case has brought to light: what was done to the worker, and what it did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent_workers.protocol.v1.envelope import TERMINAL

if TYPE_CHECKING:
    from agent_workers.conformance.lines import Line

Event = dict[str, Any]


@dataclass
class Recording:
    """One run of a worker.

    Attributes:
        sent: What was done to it, in words.
        signals: Which were sent to it.
        lines: What it has written to stdout.
        rest: Whether its last line had no newline.
        stderr: The beginning and the end of what it has written to stderr.
        leaked: Whether the API key stood there.
        status: Its exit status, negative for the signal that ended it; None where it never began.
        trouble: Why the kit has ended it, or could not go on with the case.
        killed: Whether the kit has ended it.
        lingers: Whether it went on after its terminal event.
        cut_off: Whether the kit has closed its stdout.
        acted_at: When the last step was taken.
        ended_at: When its end was seen.
        left: The command lines of processes that it has left behind.
    """

    sent: list[str] = field(default_factory=list)
    signals: list[int] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    rest: bool = False
    stderr: bytes = b""
    leaked: bool = False
    status: int | None = None
    trouble: str | None = None
    killed: bool = False
    lingers: bool = False
    cut_off: bool = False
    acted_at: float = 0
    ended_at: float | None = None
    left: list[str] = field(default_factory=list)

    @property
    def events(self) -> list[Event]:
        """The events among its lines."""
        return [line.event for line in self.lines if line.event]

    @property
    def terminal(self) -> Line | None:
        """The line of its first terminal event."""
        return next((line for line in self.lines if line.event.get("type") in TERMINAL), None)


@dataclass
class Played:
    """A case that was played: one run, or several one after the other. The last one is judged by the case."""

    runs: list[Recording] = field(default_factory=list)
    took_s: float = 0

    @property
    def last(self) -> Recording:
        """The run that the case is about."""
        return self.runs[-1]
