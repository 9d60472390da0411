"""The figures of a whole fleet, for Prometheus: what Redis says when it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from agent_workers.fleet.overview import overview

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from prometheus_client.core import Metric

    from agent_workers.fleet.overview import Overview, Queue
    from agent_workers.fleet.serving.machine import Machine

_NAME = "agent_workers_fleet"
_WITHIN_S = 4.0
_LOST = "lost"

_OF_QUEUE: tuple[tuple[str, str, Callable[[Queue], int]], ...] = (
    ("queued", "Jobs that wait for a slot, in the whole fleet.", lambda of: of.waiting),
    ("scheduled", "Jobs that wait for their time, in the whole fleet.", lambda of: of.scheduled),
    ("running", "Runs that slots have in hand, in the whole fleet.", lambda of: of.running),
    ("asking", "Runs that wait for an answer of a person, in the whole fleet.", lambda of: of.asking),
    ("slots_alive", "Slots that live, in the whole fleet.", lambda of: of.slots),
)


class FleetMeters(Collector):
    """Figures that each process of a fleet tells alike; they are those of the last ``ask``.

    Args:
        machine: The process that asks.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._found: Overview | None = None

    async def ask(self) -> None:
        """Asks Redis; where it is away, the fleet's figures are left out."""
        self._found = None
        with anyio.move_on_after(_WITHIN_S):
            try:
                self._found = await overview(self._machine.fleet)
            except RedisError:
                return

    def collect(self) -> Iterable[Metric]:
        """Yields the figures."""
        up = int(self._found is not None)
        yield GaugeMetricFamily(f"{_NAME}_redis_up", "1 where Redis answers this process, else 0.", value=up)
        if self._found:
            yield from self._of_queues(self._found.queues)
            yield from self._of_runs(self._found.queues)
            words = "Credentials whose jobs wait, for the API limits their rate."
            yield GaugeMetricFamily(f"{_NAME}_paused_credentials", words, value=len(self._found.paused))
            yield GaugeMetricFamily(f"{_NAME}_dead", "Runs that have failed for good.", value=self._found.dead)

    @staticmethod
    def _of_queues(queues: Mapping[str, Queue]) -> Iterable[Metric]:
        for name, words, count in _OF_QUEUE:
            family = GaugeMetricFamily(f"{_NAME}_{name}", words, labels=["queue"])
            for queue, each in queues.items():
                family.add_metric([queue], count(each))
            yield family

    @staticmethod
    def _of_runs(queues: Mapping[str, Queue]) -> Iterable[Metric]:
        words = "Runs that have ended, in the whole fleet."
        ended = CounterMetricFamily(f"{_NAME}_runs", words, labels=["queue", "outcome", "code"])
        lost = CounterMetricFamily(
            f"{_NAME}_lost", "Attempts whose process has gone, in the whole fleet.", labels=["queue"]
        )
        for queue, each in queues.items():
            lost.add_metric([queue], each.ended.get(_LOST, 0))
            for name, count in each.ended.items():
                outcome, _, code = name.partition(":")
                if name != _LOST:
                    ended.add_metric([queue, outcome, code], count)
        yield from (ended, lost)
