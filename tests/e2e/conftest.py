"""The real worker, SDK and CLI against a simulated API on the loopback interface."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from agent_workers.simulator import Simulator, running_simulator
from tests.e2e.beginning import AtOnce, Begin, Beginnings
from tests.e2e.desk import Desk
from tests.e2e.loaded import LoadedWorkers
from tests.e2e.worker import Home
from tests.waiting import until

K = TypeVar("K")
T = TypeVar("T")


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def installed(home: Home) -> None:
    """Has the installed worker start in a test of a module that uses ``loaded``."""
    home.loaded = None


@pytest.fixture(scope="module")
def beginnings(tmp_path_factory: pytest.TempPathFactory) -> Beginnings:
    return Beginnings(tmp_path_factory.mktemp("beginnings"))


@pytest.fixture
def home(request: pytest.FixtureRequest, simulator: Simulator) -> Iterator[Home]:
    """A place for runs; after each test no process of any run may be left, and no temporary file."""
    loaded = request.getfixturevalue("loaded") if "loaded" in request.fixturenames else None
    if "begin" in request.fixturenames:
        beginnings: Beginnings = request.getfixturevalue("beginnings")
        beginnings.clear()
        root: Path = beginnings.root
    else:
        root = request.getfixturevalue("tmp_path")
    with home_at(root, simulator, loaded) as home:
        yield home


@contextmanager
def home_at(root: Path, simulator: Simulator, loaded: LoadedWorkers | None = None) -> Iterator[Home]:
    """A place for runs, which leave neither a process nor a temporary file."""
    home = Home(root, simulator.base_url)
    home.loaded = loaded
    try:
        yield home
        until(lambda: not home.processes(), within_s=5, what=home.left)
        assert list(home.temporary.iterdir()) == []
    finally:
        home.kill_all()


@contextmanager
def desk_at(root: Path, loaded: LoadedWorkers | None = None) -> Iterator[Desk]:
    """A desk for runs that several tests look at."""
    with running_simulator() as simulator, home_at(root, simulator, loaded) as home:
        yield Desk(home, simulator)


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory, loaded: LoadedWorkers) -> AtOnce:
    """Has a few runs that mostly wait do so at once, each at a desk of its own; returns what each came to."""

    def at_once(names: Iterable[K], run: Callable[[Desk, K], T]) -> dict[K, T]:
        def at_a_desk(name: K, folder: Path) -> T:
            with desk_at(folder, loaded) as desk:
                return run(desk, name)

        names = list(names)
        folders = [tmp_path_factory.mktemp("desk") for _ in names]  # here, for the factory is not for several threads
        with ThreadPoolExecutor(3) as threads:  # more would not be up in the time that their limits leave
            return dict(zip(names, threads.map(at_a_desk, names, folders), strict=True))

    return at_once


@pytest.fixture
def begin(home: Home, beginnings: Beginnings) -> Begin:
    """What the test's home begins from; see ``Begin``."""

    def begin(name: str, make: Callable[[Desk], T]) -> T:
        def made() -> T:
            with desk_at(home.root, home.loaded) as first:
                return make(first)

        return beginnings.bring(name, made)

    return begin


@pytest.fixture
def desk(home: Home, simulator: Simulator) -> Desk:
    return Desk(home, simulator)
