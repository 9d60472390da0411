"""A fleet for the tests: a real Redis, real workers, SDK and CLI, against a simulated API."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_workers.simulator import Simulator, running_simulator
from tests.e2e.conftest import home_at
from tests.e2e.worker import Home
from tests.fleet.commands import Commands
from tests.fleet.redis_server import RedisServer, running_redis
from tests.fleet.served import User, Working


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def home(tmp_path: Path, simulator: Simulator) -> Iterator[Home]:
    """A place for runs; after each test no process of any run may be left, and no temporary file."""
    with home_at(tmp_path, simulator) as home:
        yield home


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with running_redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def user(redis: RedisServer) -> User:
    return User(redis)


@pytest.fixture
def fleet(redis: RedisServer, tmp_path: Path) -> Commands:
    """The terminal side of the fleet."""
    return Commands(tmp_path / "operator", redis)


@pytest.fixture
def work(home: Home, redis: RedisServer) -> Iterator[Callable[..., Working]]:
    """Starts a process of the fleet with these options; it is stopped at the end."""
    working: list[Working] = []

    def work(*options: str, **given: Any) -> Working:
        working.append(Working(home, redis, *options, **given))
        return working[-1].wait_up()

    try:
        yield work
    finally:
        for each in working:
            if each.process.poll() is None:
                each.stop()
