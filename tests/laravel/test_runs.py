"""The page of recorded runs: who may see it, what it finds, what can be done there, and pictures of each state."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from agent_workers.simulator import Simulator
from tests.laravel.browser import Browser
from tests.laravel.runs_site import LONG, RunsSite
from tests.laravel.sites import started
from tests.laravel.visitor import Visitor
from tests.waiting import until

_TABLES = ("agent_runs", "agent_messages", "agent_usage", "agent_events")


@pytest.fixture(scope="module")
def running_runs_site(simulator: Simulator) -> Iterator[RunsSite]:
    with started(RunsSite, simulator.base_url, "runs") as site:
        yield site


@pytest.fixture
def site(running_runs_site: RunsSite) -> Iterator[RunsSite]:
    running_runs_site.clear()
    yield running_runs_site
    until(lambda: not running_runs_site.processes(), what=running_runs_site.left)


@pytest.fixture
def operator(site: RunsSite) -> Iterator[Visitor]:
    operator = Visitor(site.port)
    yield operator
    operator.http.close()


@pytest.fixture
def page(site: RunsSite, running_browser: Browser) -> Iterator[Browser]:
    running_browser.server_log = site.log
    running_browser.open(f"http://127.0.0.1:{site.port}/runs")
    yield running_browser
    running_browser.leave()


@pytest.fixture
def look(page: Browser) -> Callable[[str], None]:
    """Takes the pictures of a state, and has axe look at it, light and dark."""

    def look_at(state: str) -> None:
        page.look_at(f"runs-{state}")
        for scheme in ("light", "dark"):
            page.look(width=390, height=844, scheme=scheme)
            assert page.faults() == [], (state, scheme)
        page.look(width=1280, height=800, scheme="light")

    return look_at


def test_nobody_but_an_operator_sees_or_changes_runs(site: RunsSite, operator: Visitor) -> None:
    site.record("r-1")
    stranger = Visitor(site.full_port)
    for address in ("/runs", "/runs/r-1"):
        assert stranger.http.get(address).status_code == 403
    for action in ("abort", "retry", "drop"):
        assert stranger.post(f"/runs/r-1/{action}", {}).status_code == 403
        assert operator.http.post(f"/runs/r-1/{action}").status_code == 419, "without the form's token"
        assert operator.post(f"/runs/unknown/{action}", {}).status_code == 404
    assert operator.http.get("/runs/unknown").status_code == 404
    assert site.count("agent_runs", "r-1") == 1
    stranger.http.close()


def test_filters_find_runs_by_user_worker_skill_status_and_day(site: RunsSite, operator: Visitor) -> None:
    site.record("r-old", "An old one.", days_ago=3, user="ada")
    site.record("r-failed", "A failed one.", status="error", code="overloaded", worker="agent-task")
    site.record("r-skill", '{"partner": 7}', worker="agent-skill", skill="partner-health", user="bob")

    def found(query: str) -> set[str]:
        text = operator.http.get(f"/runs?{query}").raise_for_status().text
        return set(re.findall(r'href="/runs/(r-[a-z]+)"', text))

    assert found("") == {"r-old", "r-failed", "r-skill"}
    assert found("user=ada") == {"r-old"}
    assert found("worker=agent-task") == {"r-failed"}
    assert found("skill=partner-health&user=bob") == {"r-skill"}
    assert found("status=error") == {"r-failed"}
    day = (datetime.now(UTC) - timedelta(days=3, seconds=90)).strftime("%Y-%m-%d")
    assert f"day={day}" in operator.http.get("/runs").text, "the table of days leads to each"
    assert found(f"day={day}") == {"r-old"}
    for nonsense in ("user[]=x", "day=2026-99-99", "page=-4", "page=x", "status=nonsense"):
        assert operator.http.get(f"/runs?{nonsense}").status_code == 200, nonsense


def test_a_run_that_goes_on_is_stopped_asked_anew_and_dropped(site: RunsSite, operator: Visitor) -> None:
    visitor, other = Visitor(site.port), Visitor(site.port)
    with visitor.ask("Slowly. [[scenario:slow]]") as stream:
        stream.wait_for("delta")
        assert "Slowly." in operator.http.get(f"/runs/{stream.run}").text
        assert other.post(f"/agent/runs/{stream.run}/abort", {}).status_code == 404, "another visitor's run"
        assert operator.post(f"/runs/{stream.run}/drop", {}).status_code == 302
        assert site.count("agent_runs", stream.run) == 1, "what goes on is not dropped"
        assert operator.post(f"/runs/{stream.run}/abort", {}).status_code == 302
        assert stream.wait_for("aborted")
    until(lambda: site.status(stream.run) == "aborted")
    assert operator.post(f"/runs/{stream.run}/retry", {}).status_code == 302
    anew = re.search(r"as run ([0-9a-f-]{36})\.", operator.http.get("/runs").text)
    assert anew
    until(lambda: site.status(anew[1]) == "running")
    until(lambda: "told to stop" in _abort(operator, anew[1]))
    until(lambda: site.status(anew[1]) == "aborted")
    assert "Slowly." in operator.http.get(f"/runs/{anew[1]}").text
    operator.post(f"/runs/{stream.run}/drop", {})
    assert operator.http.get(f"/runs/{stream.run}").status_code == 404
    assert [site.count(table, stream.run) for table in _TABLES] == [0, 0, 0, 0]
    visitor.http.close()
    other.http.close()


def test_what_the_records_do_not_have_is_not_asked_anew(site: RunsSite, operator: Visitor) -> None:
    site.record("r-task", status="error", code="timeout", worker="agent-task")
    site.record("r-done")
    with site.records() as records:
        records.execute("update agent_messages set content = null")
    site.record("r-kept", status="error", code="timeout")
    assert "folder and the tools" in operator.http.get("/runs/r-task").text
    for run in ("r-task", "r-done"):
        assert 'id="retry"' not in operator.http.get(f"/runs/{run}").text
        operator.post(f"/runs/{run}/retry", {})
    assert 'id="retry"' in operator.http.get("/runs/r-kept").text
    with site.records() as records:
        assert records.execute("select count(*) from agent_runs").fetchone() == (3,)


def test_the_page_looks_well_empty_usual_and_long(site: RunsSite, page: Browser, look: Callable[[str], None]) -> None:
    _shows(page, "Nothing is recorded yet")
    look("empty")
    for day in range(9):
        site.record(f"r-{day}", f"Question {day} of lighthouses?", days_ago=day, cost_usd=0.01 * (day % 4), user="ada")
    site.record("r-failed", "What failed?", status="error", code="overloaded", duration_ms=31_000)
    site.record("r-now", "What goes on?", status="running", ended_at=None, duration_ms=None, cost_usd=None)
    _shows(page, "What goes on?", "overloaded", "The dearest")
    look("usual")
    page.script("document.querySelector('#by-day').open = true")
    site.record("r-more", "One more?")
    _shows(page, "One more?")
    assert page.script("return document.querySelector('#by-day').open"), "what was opened stays so"
    look("days")
    page.visit(f"http://127.0.0.1:{site.port}/runs/r-failed")
    _shows(page, "Bash allowed by ada", "What it used", "Retry", "Drop")
    look("run")
    for number in range(40):
        long = {"user": "user-" + "x" * 90, "tenant": "tenant " * 12, "cost_usd": 1234.5, "duration_ms": 9_000_000}
        site.record(f"r-long-{number}-" + "y" * 90, LONG, worker="agent-" + "z" * 60, goal=LONG, **long)
    page.visit(f"http://127.0.0.1:{site.port}/runs")
    _shows(page, "Earlier runs")
    look("long")
    page.visit(f"http://127.0.0.1:{site.port}/runs/r-long-1-" + "y" * 90)
    _shows(page, "What happened")
    look("run-long")


def _abort(operator: Visitor, run: str) -> str:
    operator.post(f"/runs/{run}/abort", {})
    return operator.http.get(f"/runs/{run}").text


def _shows(page: Browser, *words: str) -> None:
    """Waits until the page shows all of this; it looks at the records by itself."""
    until(lambda: all(word in page.text for word in words), what=lambda: f"{words}: {page.told}")
