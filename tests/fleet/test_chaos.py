"""Whatever is killed: a run ends once, no event is lost or heard after a newer attempt, no effect is made twice."""

import os

from agent_workers.simulator import Simulator
from tests.e2e.worker import Home
from tests.fleet.chaos import chaos_over
from tests.fleet.redis_server import RedisServer

JOBS = int(os.environ.get("AGENT_WORKERS_CHAOS_JOBS", "12"))
SEED = int(os.environ.get("AGENT_WORKERS_CHAOS_SEED", "1"))


def test_a_fleet_whose_parts_are_killed_at_random_keeps_its_word(
    home: Home, simulator: Simulator, redis: RedisServer
) -> None:
    chaos = chaos_over(home, simulator, redis, SEED, JOBS)
    assert chaos.faults == []
    assert sum(chaos.outcomes.values()) == JOBS
