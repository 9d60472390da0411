"""What a batch may use up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What a batch may use up.

    Attributes:
        concurrency: Runs at once that have a process of their own each.
        here: Runs at once in the process of the batch; as many as those where it is None.
        attempts: How often one request is tried; what meets a rate limit while others are done does not count.
        max_cost_usd: No run begins once all together have cost so much; None for no limit.
        max_errors: Nor once so many lines have failed.
        deadline_s: Nor after so many seconds.
        grace_s: Seconds that running ones get to end when the batch is stopped, before they are aborted.
    """

    concurrency: int
    attempts: int = 4
    max_cost_usd: float | None = None
    max_errors: int | None = None
    deadline_s: float | None = None
    grace_s: float = 30
    here: int | None = None
