"""Everything is real but the model: the simulator, in this process, is what the CLI takes for the API."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_workers.simulator import Simulator, running_simulator
from tests.laravel.browser import Browser
from tests.laravel.fleet_site import FleetSite
from tests.laravel.site import Site
from tests.laravel.sites import started
from tests.laravel.visitor import Visitor
from tests.waiting import until


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture(scope="session")
def running_site(simulator: Simulator) -> Iterator[Site]:
    with started(Site, simulator.base_url, "site") as site:
        yield site


@pytest.fixture
def site(running_site: Site) -> Iterator[Site]:
    """The site; after each test no process of any run may be left."""
    yield running_site
    until(lambda: not running_site.processes(), within_s=15, what=running_site.left)


@pytest.fixture(scope="session")
def running_fleet_site(simulator: Simulator) -> Iterator[FleetSite]:
    with started(FleetSite, simulator.base_url, "fleet") as site:
        yield site


@pytest.fixture
def fleet_site(running_fleet_site: FleetSite) -> Iterator[FleetSite]:
    """The site with one machine of a fleet; after each test neither a run is left nor anything in Redis."""
    running_fleet_site.work("one", "--queue", "default=4")
    yield running_fleet_site
    running_fleet_site.stop_machines()
    until(lambda: not running_fleet_site.processes(), what=running_fleet_site.left)
    running_fleet_site.redis.client.flushall()


@pytest.fixture
def visitor(site: Site) -> Iterator[Visitor]:
    visitor = Visitor(site.port)
    yield visitor
    visitor.http.close()


@pytest.fixture(scope="session")
def running_browser() -> Iterator[Browser]:
    root = Path(tempfile.mkdtemp(prefix="browser-"))
    browser = Browser(root)
    try:
        yield browser
    finally:
        browser.close()
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def browser(site: Site, running_browser: Browser) -> Iterator[Browser]:
    """The same tab for each test: a new one costs more."""
    running_browser.server_log = site.log
    yield running_browser
    running_browser.leave()
