"""How far a batch has come."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent_workers.errors import EXIT_ABORTED, EXIT_DONE, EXIT_ERROR, EXIT_RETRYABLE

if TYPE_CHECKING:
    from agent_workers.batch.result import Record


@dataclass(slots=True)
class Totals:
    """Counts of a batch, those of its earlier starts included.

    Attributes:
        done: Runs that were done.
        failed: Runs that ended with ``error``, and lines that could not be run.
        retryable: Those of them that may succeed when the batch is started again.
        aborted: Runs that were stopped.
        earlier: Lines that were settled by an earlier start.
        running: Runs under way.
        attempts: How often a run was begun.
        cost_usd: What the runs have cost, as far as that is known.
        usage: Tokens, by the contract's names.
        errors: How often each code ended a run.
        out: Lines that wait for the provider's batch API.
        out_since: Since when, RFC 3339; None where none does.
        notes: What the operator was told of the economy lane.
        stopped: Why the batch ended before its input did; None where it did not.
        simulated: Whether a simulator has answered.
        began: ``time.monotonic()`` when this start began.
    """

    done: int = 0
    failed: int = 0
    retryable: int = 0
    aborted: int = 0
    earlier: int = 0
    running: int = 0
    attempts: int = 0
    cost_usd: float = 0.0
    usage: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    out: int = 0
    out_since: str | None = None
    notes: list[str] = field(default_factory=list)
    stopped: str | None = None
    simulated: bool = False
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long this start has taken so far."""
        return time.monotonic() - self.began

    @property
    def per_second(self) -> float:
        """How many lines this start has brought to an end in a second."""
        return (self.ended - self.earlier) / max(self.seconds, 0.001)

    @property
    def ended(self) -> int:
        """Lines that have come to an end, in whatever way."""
        return self.done + self.failed + self.aborted

    @property
    def exit_status(self) -> int:
        """Zero where all is done, 3 where the batch was stopped, 75 where another start may do the rest, else 1."""
        if self.stopped or self.aborted:
            return EXIT_ABORTED
        if self.out:
            return EXIT_RETRYABLE
        if not self.failed:
            return EXIT_DONE
        return EXIT_RETRYABLE if self.retryable == self.failed else EXIT_ERROR

    def add(self, record: Record, *, earlier: bool = False) -> None:
        """Counts what a line has come to."""
        self.earlier += earlier
        self.attempts += record.get("attempts", 0)
        self.cost_usd += record.get("cost_usd", 0.0)
        self.usage.update({name: count for name, count in record.get("usage", {}).items() if isinstance(count, int)})
        if record["status"] == "done":
            self.done += 1
        elif record["status"] == "aborted":
            self.aborted += 1
        else:
            self.failed += 1
            self.retryable += bool(record["error"].get("retryable"))
            self.errors[record["error"]["code"]] += 1
