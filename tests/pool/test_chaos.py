"""Whatever is killed: a run ends once or its connection is closed, nobody reads of another, the pool is whole again."""

import os

from agent_workers.simulator import Simulator
from tests.e2e.worker import Home
from tests.pool.chaos import chaos_over, mixed

RUNS = int(os.environ.get("AGENT_WORKERS_CHAOS_RUNS", "16"))
SEED = int(os.environ.get("AGENT_WORKERS_CHAOS_SEED", "1"))


def test_a_pool_whose_parts_are_killed_at_random_keeps_its_word(home: Home, simulator: Simulator) -> None:
    chaos = chaos_over(home, SEED, RUNS)
    assert chaos.faults == []
    assert mixed(simulator) == []
    assert sum(chaos.outcomes.values()) == RUNS
