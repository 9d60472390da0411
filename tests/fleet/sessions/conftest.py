"""Two machines that share a Redis, and the real workers against a simulated API."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_workers.simulator import Simulator, running_simulator
from tests.e2e.conftest import home_at
from tests.e2e.engines import AGENT, MESSAGES
from tests.e2e.worker import Home
from tests.fleet.redis_server import RedisServer, running_redis
from tests.fleet.sessions.machines import Slot


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(autouse=True)
def _emptied(request: pytest.FixtureRequest) -> None:
    if "redis" in request.fixturenames:
        request.getfixturevalue("redis").client.flushall()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator("memory") as simulator:
        yield simulator


@pytest.fixture(params=[AGENT, MESSAGES])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def homes(tmp_path: Path, simulator: Simulator) -> Iterator[list[Home]]:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with home_at(tmp_path / "a", simulator) as one, home_at(tmp_path / "b", simulator) as other:
        yield [one, other]


@pytest.fixture
def machines(homes: list[Home], redis: RedisServer) -> list[Slot]:
    return [Slot(home.environ, redis.port) for home in homes]
