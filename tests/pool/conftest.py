"""A pool for the tests: real workers, SDK and CLI against a simulated API."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_workers.simulator import Simulator, running_simulator
from tests.e2e.conftest import home_at
from tests.e2e.worker import Home
from tests.pool.served import ServedPool


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def home(tmp_path: Path, simulator: Simulator) -> Iterator[Home]:
    """A place for runs; after each test no process of any run may be left, and no temporary file."""
    with home_at(tmp_path, simulator) as home:
        yield home


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPool]:
    """One pool for several tests, with an agent that waits and none that is kept."""
    with running_simulator() as simulator, home_at(tmp_path_factory.mktemp("shared"), simulator) as home:
        pool = ServedPool(home, "--min-idle", "1", "--max-live", "0")
        try:
            yield pool
        finally:
            pool.stop()


@pytest.fixture
def serve(home: Home) -> Iterator[Callable[..., ServedPool]]:
    """Starts a pool with these options; it is stopped at the end."""
    pools: list[ServedPool] = []

    def serve(*options: str, **given: Any) -> ServedPool:
        pools.append(ServedPool(home, *options, **given))
        return pools[-1]

    try:
        yield serve
    finally:
        for pool in pools:
            pool.stop()
