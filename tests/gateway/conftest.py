"""Gateways for the tests: one for each module that shares it, and more of them for a test's own."""

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.worker import Home
from tests.fleet.redis_server import RedisServer, running_redis
from tests.fleet.served import Working
from tests.gateway.served import WORKER, Served


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One whose workers do as the prompt says."""
    served = Served(tmp_path_factory.mktemp("gateway"))
    yield served
    served.stop()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """The Redis of a test's own, with a machine of a fleet whose workers do as the prompt says."""
    with running_redis(tmp_path / "redis") as redis:
        home = Home(tmp_path, "http://127.0.0.1:9")
        (tmp_path / "home").mkdir(exist_ok=True)
        working = Working(home, redis, "--worker", f"agent-chat={shlex.join(WORKER)}").wait_up()
        try:
            yield redis
        finally:
            working.stop()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Starts gateways of a test's own."""
    started: list[Served] = []

    def start(*arguments: Any, **options: Any) -> Served:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(Served(folder, *arguments, **options))
        return started[-1]

    yield start
    for served in started:
        served.stop()
