"""Those who look at what a process of the fleet does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent_workers.fleet.serving.figures import Figures
    from agent_workers.protocol.v1.job import Job


class Watch:
    """Is told what happens. This one keeps nothing of it: nobody asks."""

    def serves(self, queue: str, slots: int) -> None:
        """Hears how many jobs of a queue run at once here."""

    def began(self, queue: str) -> None:
        """Hears that a slot has a job in hand."""

    def left(self, queue: str) -> None:
        """Hears that a slot has none any more."""

    def lost(self, queue: str) -> None:
        """Hears that a run has become another's."""

    def ended(self, job: Job, event: dict[str, Any], figures: Figures, outcome: str) -> None:
        """Hears how an attempt has ended.

        Args:
            job: Its job.
            event: The worker's terminal event.
            figures: What was noted of it.
            outcome: ``done``, ``error`` or ``aborted`` where the run has ended with it; ``again`` for another attempt;
                ``returned`` where this process is stopped, and the run goes to another.
        """
