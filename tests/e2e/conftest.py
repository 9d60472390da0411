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
from tests.e2e.engines import AGENT, MESSAGES
from tests.e2e.loaded import LoadedWorkers
from tests.e2e.worker import Home
from tests.waiting import until

K = TypeVar("K")
T = TypeVar("T")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Has each test of a module with the mark ``engines`` run on both; some are taken out again."""
    if metafunc.definition.get_closest_marker("engines"):
        metafunc.fixturenames += [] if "engine" in metafunc.fixturenames else ["engine"]
        metafunc.parametrize("engine", [AGENT, MESSAGES], indirect=True, scope="module")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Takes out the tests that are not for their engine, by the nearest mark."""
    items[:] = [item for item in items if _is_for_its_engine(item)]


def _is_for_its_engine(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("engines")
    return mark is None or item.callspec.params["engine"] in mark.args  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> str:
    """The engine of the test's runs."""
    return str(getattr(request, "param", AGENT))


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
def home(request: pytest.FixtureRequest, simulator: Simulator, engine: str) -> Iterator[Home]:
    """A place for runs; after each test no process of any run may be left, and no temporary file."""
    loaded = request.getfixturevalue("loaded") if "loaded" in request.fixturenames else None
    if "begin" in request.fixturenames:
        beginnings: Beginnings = request.getfixturevalue("beginnings")
        beginnings.clear()
        root: Path = beginnings.root
    else:
        root = request.getfixturevalue("tmp_path")
    with home_at(root, simulator, loaded, engine) as home:
        yield home


@contextmanager
def home_at(
    root: Path, simulator: Simulator, loaded: LoadedWorkers | None = None, engine: str = AGENT
) -> Iterator[Home]:
    """A place for runs, which leave neither a process nor a temporary file."""
    home = Home(root, simulator.base_url, engine)
    home.loaded = loaded
    try:
        yield home
        until(lambda: not home.processes(), within_s=5, what=home.left)
        assert list(home.temporary.iterdir()) == []
    finally:
        home.kill_all()


@contextmanager
def desk_at(root: Path, loaded: LoadedWorkers | None = None, engine: str = AGENT) -> Iterator[Desk]:
    """A desk for runs that several tests look at."""
    with running_simulator() as simulator, home_at(root, simulator, loaded, engine) as home:
        yield Desk(home, simulator)


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory, loaded: LoadedWorkers, engine: str) -> AtOnce:
    """Has a few runs that mostly wait do so at once, each at a desk of its own; returns what each came to."""

    def at_once(names: Iterable[K], run: Callable[[Desk, K], T]) -> dict[K, T]:
        def at_a_desk(name: K, folder: Path) -> T:
            with desk_at(folder, loaded, engine) as desk:
                return run(desk, name)

        names = list(names)
        folders = [tmp_path_factory.mktemp("desk") for _ in names]  # here, for the factory is not for several threads
        with ThreadPoolExecutor(3) as threads:  # more would not be up in the time that their limits leave
            return dict(zip(names, threads.map(at_a_desk, names, folders), strict=True))

    return at_once


@pytest.fixture
def begin(home: Home, beginnings: Beginnings, engine: str) -> Begin:
    """What the test's home begins from; see ``Begin``."""

    def begin(name: str, make: Callable[[Desk], T]) -> T:
        def made() -> T:
            with desk_at(home.root, home.loaded, engine) as first:
                return make(first)

        return beginnings.bring(f"{name} of {engine}", made)

    return begin


@pytest.fixture
def desk(home: Home, simulator: Simulator) -> Desk:
    return Desk(home, simulator)
