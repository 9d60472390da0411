"""Each state of the operator's page of the fleet: pictures, nothing that axe finds, and what can be done there."""

from collections.abc import Callable, Iterator

import pytest

from tests.fleet.served import User
from tests.laravel.browser import Browser
from tests.laravel.fleet_site import FleetSite
from tests.laravel.visitor import Visitor
from tests.waiting import until

SLOW = {"worker": "agent-chat", "engine": "messages", "prompt": "Slowly. [[scenario:slow]]"}
FAILING = SLOW | {"prompt": "Fail. [[scenario:overloaded-529]]", "attempts": 1}


@pytest.fixture
def page(fleet_site: FleetSite, running_browser: Browser) -> Iterator[Browser]:
    running_browser.server_log = fleet_site.log
    running_browser.open(f"http://127.0.0.1:{fleet_site.port}/fleet")
    yield running_browser
    running_browser.leave()


@pytest.fixture
def look(page: Browser) -> Callable[[str], None]:
    """Takes the pictures of a state, and has axe look at it, light and dark."""

    def look_at(state: str) -> None:
        page.look_at(f"fleet-{state}")
        for scheme in ("light", "dark"):
            page.look(width=390, height=844, scheme=scheme)
            assert page.faults() == [], (state, scheme)
        page.look(width=1280, height=800, scheme="light")

    return look_at


def shows(page: Browser, *words: str) -> None:
    """Waits until the page shows all of this; it looks at the fleet by itself."""
    until(lambda: all(word in page.text for word in words), what=lambda: f"{words}: {page.told}")


def test_an_empty_fleet_says_how_it_gets_runs(
    fleet_site: FleetSite, page: Browser, look: Callable[[str], None]
) -> None:
    fleet_site.stop_machines()
    fleet_site.redis.client.flushall()
    shows(page, "Nothing has been asked of this fleet yet")
    look("empty")


def test_a_busy_fleet_shows_what_waits_for_what_and_a_run_can_be_stopped(
    fleet_site: FleetSite, page: Browser, look: Callable[[str], None]
) -> None:
    user, visitor = User(fleet_site.redis), Visitor(fleet_site.port)
    client = fleet_site.redis.client
    client.hset("agent-workers:limits", mapping={"tenant:acme": 2, "queue:reports": 5})
    for number in (1, 2, 3):
        user.submit(SLOW | {"run": f"summary-of-quarter-{number}", "tenant": "acme"})
    user.submit(SLOW | {"run": "at-new-year", "run_at": "2099-01-01T00:00:00Z"})
    user.submit(SLOW | {"run": "nightly-report", "queue": "reports", "credential": "eu-billing"})
    client.hset("agent-workers:paused", "eu-billing", 4_000_000_000_000)
    with visitor.ask("Prepare the fair. [[scenario:task-demo]]", address="/task") as task:
        task.wait_for("permission_request")
        shows(page, "asks a person", "The tenant acme has 2 of at most 2 runs; 1 more waits.")
        shows(page, "No machine works on the queue reports, in which a job waits.", "The API has limited the key")
        look("busy")
        page.script("document.getElementById('run-summary-of-quarter-1').click()")
        shows(page, "What was asked")
        page.script("document.querySelector('details').open = true")
        look("run")
        page.press("Stop")
        shows(page, "The run is told to stop.", "stopped")
        assert user.follow("summary-of-quarter-1")[-1].event["type"] == "aborted"
        user.wait_for("summary-of-quarter-3", "delta")  # the tenant's next
        look("run-stopped")
        for name in ("summary-of-quarter-2", "summary-of-quarter-3", "at-new-year", "nightly-report", task.run):
            user.abort(name)
    visitor.http.close()


def test_a_failed_run_is_looked_at_retried_and_dropped(
    fleet_site: FleetSite, page: Browser, look: Callable[[str], None]
) -> None:
    user = User(fleet_site.redis)
    for number in (1, 2):
        user.submit(FAILING | {"run": f"letter-{number}", "tenant": "acme"})
    shows(page, "Failed for good", "letter-1", "letter-2", "overloaded")
    until(lambda: page.script(_FAILED) == 2, what=lambda: page.told)
    look("dead")
    page.script("document.getElementById('dead-letter-1').click()")
    shows(page, "failed", "What was asked")
    look("dead-run")
    page.press("Drop")
    shows(page, "Dropped: letter-1.")
    assert page.script(_FAILED) == 1
    page.press("Retry")
    shows(page, "This is the second run of the job that failed as letter-2.", "Second run of")
    assert page.script("return document.querySelectorAll('dd a').length") == 1
    page.script("document.querySelector('dd a').click()")
    shows(page, "Submitted again as")
    page.visit(f"http://127.0.0.1:{fleet_site.port}/fleet")
    assert "letter-2" not in page.script("return document.querySelector('[aria-labelledby=of-dead]')?.innerText ?? ''")


_FAILED = "return document.querySelectorAll('[aria-labelledby=of-dead] .run').length"


def test_a_fleet_whose_redis_is_away_says_so_and_goes_on_when_it_is_back(
    fleet_site: FleetSite, page: Browser, look: Callable[[str], None]
) -> None:
    shows(page, "slots")
    fleet_site.stop_machines()
    fleet_site.redis.kill()
    try:
        shows(page, "Redis does not answer")
        look("away")
    finally:
        fleet_site.redis.start()
    shows(page, "Queues")
