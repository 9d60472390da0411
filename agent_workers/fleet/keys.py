"""Names of what a fleet keeps in Redis."""

from __future__ import annotations

from dataclasses import dataclass

GROUP = "workers"
"""The consumer group of each queue's stream."""
DEFAULT_PREFIX = "agent-workers"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one fleet; ``scripts/common.lua`` has the same names.

    Attributes:
        prefix: What stands before each of them.
    """

    prefix: str = DEFAULT_PREFIX

    def events(self, run: str) -> str:
        """Stream of a run's events."""
        return f"{self.prefix}:run:{{{run}}}"

    def job(self, run: str) -> str:
        """Hash of a run's job and state."""
        return f"{self.events(run)}:job"

    def control(self, run: str) -> str:
        """Stream of what a run is told."""
        return f"{self.events(run)}:control"

    def jobs(self, queue: str) -> str:
        """Stream of the jobs that slots may begin."""
        return self.of_queue(queue, "jobs")

    def of_queue(self, queue: str, what: str) -> str:
        """Key of something that a queue has."""
        return f"{self.prefix}:queue:{queue}:{what}"

    def running_of(self, tenant: str) -> str:
        """Set of the runs that a tenant has begun, in all queues."""
        return f"{self.prefix}:tenant:{tenant}:running"

    @property
    def queues(self) -> str:
        """Set of the queues."""
        return f"{self.prefix}:queues"

    @property
    def limits(self) -> str:
        """Hash of the limits, such as ``queue:default`` and ``tenant:*``."""
        return f"{self.prefix}:limits"

    @property
    def paused(self) -> str:
        """Hash of the credentials that wait, each with until when."""
        return f"{self.prefix}:paused"

    @property
    def dead(self) -> str:
        """Sorted set of the runs that failed for good, by when."""
        return f"{self.prefix}:dead"

    @property
    def escalations(self) -> str:
        """Stream of the runs whose failure is passed on."""
        return f"{self.prefix}:escalations"

    @property
    def calls(self) -> str:
        """Stream of the calls of the application's tools, of all runs."""
        return f"{self.prefix}:calls"
