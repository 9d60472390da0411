"""What is traced of an attempt: nothing, unless somebody asks for traces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_workers.fleet.scripts import Begun, Held
    from agent_workers.protocol.v1.job import Job


class AttemptSpan:
    """One attempt in a trace; this one goes nowhere.

    Attributes:
        traceparent: What the worker is to continue; None for what the job says.
    """

    traceparent: str | None = None

    def see(self, event: dict[str, Any]) -> None:
        """Takes the next event."""

    def end(self, event: dict[str, Any], outcome: str) -> None:
        """Notes how the attempt has ended; see ``Watch.ended``."""

    def lost(self) -> None:
        """Notes that the run became another's."""


class Tracing:
    """Traces attempts; this one does not.

    Attributes:
        middlewares: What FastStream has to put around each job.
    """

    middlewares: Sequence[Any] = ()

    def begin(self, job: Job, held: Held, begun: Begun, host: str) -> AttemptSpan:
        """Begins to trace an attempt."""
        del job, held, begun, host
        return AttemptSpan()

    def takes_over(self, run: str, became: str) -> None:
        """Notes that a run was taken from a process that has gone, and what became of it."""

    def close(self) -> None:
        """Sends what is left."""
