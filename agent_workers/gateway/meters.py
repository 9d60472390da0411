"""The gateway's figures, for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, disable_created_metrics

from agent_workers.fleet.serving.exposition import encoder_for

if TYPE_CHECKING:
    from agent_workers.gateway.runs import Runs
    from agent_workers.gateway.streams import Streams
    from agent_workers.gateway.webhooks import Webhooks

_NAME = "agent_workers_gateway"


class Meters:
    """Counts what this process does.

    Args:
        runs: Where the runs are.
        streams: Those that are open.
        webhooks: Those that wait; None where nobody is told.
    """

    def __init__(self, runs: Runs, streams: Streams, webhooks: Webhooks | None) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._started = Counter(f"{_NAME}_runs", "Runs that were started here.", ["worker"], registry=registry)
        self._streamed = Counter(f"{_NAME}_streams_ended", "Streams by how they ended.", ["end"], registry=registry)
        self._refused = Counter(f"{_NAME}_refusals", "Requests that were refused.", ["code"], registry=registry)
        self._dropped = Counter(f"{_NAME}_slow_readers", "Connections that took nothing.", registry=registry)
        for name, words, value in (
            ("streams", "Streams that are open.", lambda: streams.open),
            ("running", "Runs that go on here, or are followed from here.", lambda: runs.running),
            (
                "machines",
                "Machines of users that are connected.",
                lambda: runs.machines.connected if runs.machines else 0,
            ),
            ("webhooks_waiting", "Webhooks that were not taken yet.", lambda: webhooks.waiting if webhooks else 0),
            ("kept_bytes", "Bytes of the events that are kept here.", lambda: runs.kept_bytes),
        ):
            Gauge(f"{_NAME}_{name}", words, registry=registry).set_function(value)

    def started(self, worker: str) -> None:
        """Hears that a run was started."""
        self._started.labels(worker).inc()

    def streamed(self, end: str) -> None:
        """Hears how a stream has ended."""
        self._streamed.labels(end).inc()

    def refused(self, code: str) -> None:
        """Hears that a request was refused."""
        self._refused.labels(code).inc()

    def dropped(self) -> None:
        """Hears that a connection was ended that took nothing."""
        self._dropped.inc()

    def page(self, accept: str) -> tuple[bytes, str]:
        """Returns all figures, and the content type of the page."""
        encode, kind = encoder_for(accept)
        return encode(self._registry), kind
