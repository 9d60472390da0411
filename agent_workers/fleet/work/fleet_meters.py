"""The figures of a whole fleet, for Prometheus: what Redis says when it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from agent_workers.fleet.census import take_census

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client.core import Metric

    from agent_workers.fleet.census import Census, QueueCensus
    from agent_workers.fleet.work.machine import Machine

_NAME = "agent_workers_fleet"
_WITHIN_S = 4.0
_LOST = "lost"

_OF_QUEUE: tuple[tuple[str, str, Callable[[QueueCensus], int]], ...] = (
    ("queued", "Jobs that wait for a slot, in the whole fleet.", lambda of: of.queued),
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
        self._census: Census | None = None

    async def ask(self) -> None:
        """Asks Redis; where it is away, the fleet's figures are left out."""
        self._census = None
        with anyio.move_on_after(_WITHIN_S):
            try:
                machine = self._machine
                self._census = await take_census(machine.redis, machine.keys, machine.settings.dead_s)
            except RedisError:
                return

    def collect(self) -> Iterable[Metric]:
        """Yields the figures."""
        up = int(self._census is not None)
        yield GaugeMetricFamily(f"{_NAME}_redis_up", "1 where Redis answers this process, else 0.", value=up)
        if self._census:
            yield from self._of_queues(self._census.queues)
            yield from self._of_runs(self._census.queues)
            words = "Credentials whose jobs wait, for the API limits their rate."
            yield GaugeMetricFamily(f"{_NAME}_paused_credentials", words, value=self._census.paused)
            yield GaugeMetricFamily(f"{_NAME}_dead", "Runs that have failed for good.", value=self._census.dead)

    @staticmethod
    def _of_queues(queues: Iterable[QueueCensus]) -> Iterable[Metric]:
        for name, words, count in _OF_QUEUE:
            family = GaugeMetricFamily(f"{_NAME}_{name}", words, labels=["queue"])
            for each in queues:
                family.add_metric([each.queue], count(each))
            yield family

    @staticmethod
    def _of_runs(queues: Iterable[QueueCensus]) -> Iterable[Metric]:
        words = "Runs that have ended, in the whole fleet."
        ended = CounterMetricFamily(f"{_NAME}_runs", words, labels=["queue", "outcome", "code"])
        lost = CounterMetricFamily(
            f"{_NAME}_lost", "Attempts whose process has gone, in the whole fleet.", labels=["queue"]
        )
        for each in queues:
            lost.add_metric([each.queue], each.ended.get(_LOST, 0))
            for name, count in each.ended.items():
                outcome, _, code = name.partition(":")
                if name != _LOST:
                    ended.add_metric([each.queue, outcome, code], count)
        yield from (ended, lost)
