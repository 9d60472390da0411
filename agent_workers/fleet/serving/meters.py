"""The figures of a process of the fleet, for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

from agent_workers.fleet.serving.watch import Watch

if TYPE_CHECKING:
    from agent_workers.fleet.serving.figures import Figures
    from agent_workers.protocol.v1.job import Job

_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
_NAME = "agent_workers_fleet"


class Meters(Watch):
    """Counts what this process does; ``FleetMeters`` asks Redis for what the whole fleet has."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._slots = Gauge(f"{_NAME}_slots", "Jobs that this process runs at once.", ["queue"], registry=registry)
        self._busy = Gauge(f"{_NAME}_busy", "Jobs that this process runs now.", ["queue"], registry=registry)
        self._lost = Counter(f"{_NAME}_leases_lost", "Runs that became another's.", ["queue"], registry=registry)
        self._ended = Counter(
            f"{_NAME}_attempts", "Attempts that have ended.", ["queue", "worker", "outcome", "code"], registry=registry
        )
        words = "Seconds from an attempt's beginning to its end."
        self._duration = Histogram(
            f"{_NAME}_duration_seconds", words, ["queue", "worker"], buckets=_SECONDS, registry=registry
        )
        words = "Seconds from an attempt's beginning to its first delta."
        self._first = Histogram(
            f"{_NAME}_first_delta_seconds", words, ["queue", "worker"], buckets=_SECONDS, registry=registry
        )
        self._tokens = Counter(
            f"{_NAME}_tokens", "Tokens, by their kind.", ["queue", "worker", "kind"], registry=registry
        )
        self._cost = Counter(
            f"{_NAME}_cost_usd", "Estimated price in US dollars.", ["queue", "worker"], registry=registry
        )

    def serves(self, queue: str, slots: int) -> None:
        """Hears how many jobs of a queue run at once here."""
        self._slots.labels(queue).set(slots)
        self._busy.labels(queue)
        self._lost.labels(queue)

    def began(self, queue: str) -> None:
        """Hears that a slot has a job in hand."""
        self._busy.labels(queue).inc()

    def left(self, queue: str) -> None:
        """Hears that a slot has none any more."""
        self._busy.labels(queue).dec()

    def lost(self, queue: str) -> None:
        """Hears that a run has become another's."""
        self._lost.labels(queue).inc()

    def ended(self, job: Job, event: dict[str, Any], figures: Figures, outcome: str) -> None:
        """Hears how an attempt has ended; see ``Watch.ended``."""
        where = (job.fields.queue, job.worker)
        self._ended.labels(*where, outcome, event.get("code", "")).inc()
        self._duration.labels(*where).observe(figures.age_s)
        if figures.first_delta_s is not None:
            self._first.labels(*where).observe(figures.first_delta_s)
        for kind, count in (event.get("usage") or {}).items():
            if isinstance(count, int) and kind.endswith("_tokens"):
                self._tokens.labels(*where, kind.removesuffix("_tokens")).inc(count)
        if event.get("cost_usd"):
            self._cost.labels(*where).inc(event["cost_usd"])
