"""The real worker, SDK and CLI against a simulated API on the loopback interface."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_workers.simulator import Simulator, running_simulator
from tests.e2e.desk import Desk
from tests.e2e.worker import Home
from tests.waiting import until


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def home(tmp_path: Path, simulator: Simulator) -> Iterator[Home]:
    """A place for runs; after each test no process of any run may be left, and no temporary file."""
    home = Home(tmp_path, simulator.base_url)
    try:
        yield home
        until(lambda: not home.processes(), within_s=5)
        assert list(home.temporary.iterdir()) == []
    finally:
        home.kill_all()


@pytest.fixture
def desk(home: Home, simulator: Simulator) -> Desk:
    return Desk(home, simulator)
