"""A site whose runs are the fleet's: answers that outlive pages, PHP and machines, and who may see and stop them."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agent_workers.simulator import Simulator
from agent_workers.simulator.scenario_file import parse_scenario
from tests.laravel.browser import Browser
from tests.laravel.fleet_site import FleetSite
from tests.laravel.visitor import Visitor
from tests.waiting import until

Play = Callable[[str], None]


def words(kind: str) -> list[str]:
    """A hundred words of a kind, of which none is a part of another."""
    return [f"{kind}-{number:03d}" for number in range(100)]


@pytest.fixture
def site(fleet_site: FleetSite) -> FleetSite:
    return fleet_site


@pytest.fixture
def browser(site: FleetSite, running_browser: Browser) -> Iterator[Browser]:
    running_browser.server_log = site.log
    running_browser.open(f"http://127.0.0.1:{site.port}/")
    yield running_browser
    running_browser.leave()


@pytest.fixture
def visitor(site: FleetSite) -> Iterator[Visitor]:
    visitor = Visitor(site.port)
    yield visitor
    visitor.http.close()


@pytest.fixture
def play(simulator: Simulator) -> Iterator[Play]:
    """Has the model say a hundred words of a kind, for ten seconds."""

    def play(kind: str) -> None:
        step = {"delay_ms": 100, "content": [{"type": "text", "text": " ".join(words(kind))}]}
        simulator.play(parse_scenario(kind, {"description": "Ten seconds.", "steps": [step]}))

    yield play
    simulator.play("hello")


def run_of(browser: Browser) -> str:
    """The run that the page follows."""
    kept = until(lambda: browser.script(_REMEMBERED), what=lambda: browser.told)
    return str(json.loads(kept)["run"])


_REMEMBERED = """
    return Object.entries(sessionStorage).find(([name]) => name.startsWith("agent-run:"))?.[1];
"""


def test_a_page_that_was_closed_in_mid_answer_and_another_that_is_opened_have_the_whole_answer_once(
    site: FleetSite, browser: Browser, play: Play
) -> None:
    play("word")
    browser.new_tab()
    browser.visit(f"http://127.0.0.1:{site.port}/")
    browser.say("Count.")
    browser.wait_for_changes(3)
    run, kept = run_of(browser), browser.script("return {...sessionStorage}")
    browser.close_tab()

    browser.visit(f"http://127.0.0.1:{site.port}/task")
    browser.script(_FOLLOW, run)
    until(lambda: browser.script("return window.heard.length > 0"), what=lambda: browser.told)
    # The tab is opened again, with what the browser has kept of it.
    browser.new_tab()
    browser.visit(f"http://127.0.0.1:{site.port}/task")
    browser.script(_RESTORE, kept)
    browser.visit(f"http://127.0.0.1:{site.port}/")
    browser.wait_for("done")
    assert re.findall(r"word-\d+", browser.answer) == words("word")
    browser.close_tab()
    until(lambda: browser.script("return window.ended"), what=lambda: browser.told)
    assert browser.script("return window.ended.type") == "done"
    assert browser.script("return window.heard.join('')").split() == words("word")


_RESTORE = "for (const [name, value] of Object.entries(arguments[0])) sessionStorage.setItem(name, value)"
# On any other page of the application: what agent-stream.js hears of a run.
_FOLLOW = """
    [window.heard, window.ended] = [[], null];
    const onEvent = (event) => event.type === "delta" && window.heard.push(event.text);
    import("/agent-stream.js")
      .then(({ followRun }) => followRun({ base: "/agent", run: arguments[0], onEvent }))
      .then((end) => { window.ended = end; }, (fault) => { window.ended = { type: String(fault) }; });
"""


def test_a_php_that_is_restarted_in_mid_answer_goes_unnoticed(site: FleetSite, browser: Browser, play: Play) -> None:
    play("word")
    browser.say("Count.")
    browser.wait_for_changes(3)
    site.restart_php()
    browser.wait_for("done")
    assert re.findall(r"word-\d+", browser.answer) == words("word")
    assert browser.statuses[-1] == "done"
    assert not {"error", "stopped"} & set(browser.statuses)


def test_a_machine_that_is_lost_in_mid_answer_leaves_nothing_of_it_on_the_page(
    site: FleetSite, browser: Browser, play: Play
) -> None:
    play("lost")
    browser.say("Count.")
    browser.wait_for_changes(3)
    run = run_of(browser)
    play("kept")
    site.work("two", "--queue", "default=4")
    site.machines["one"].kill()
    browser.wait_for("done")
    assert re.findall(r"[a-z]+-\d+", browser.answer) == words("kept")
    assert any("lost-" in text for text in browser.partial_answers)
    assert not any("lost-" in text and "kept-" in text for text in browser.partial_answers)
    assert site.redis.client.hget(f"agent-workers:run:{{{run}}}:job", "attempt") == b"2"


def test_a_run_that_is_stopped_in_one_tab_ends_in_the_other(site: FleetSite, browser: Browser, play: Play) -> None:
    play("word")
    browser.say("Count.")
    browser.wait_for_changes(3)
    run = run_of(browser)
    browser.new_tab()
    browser.visit(f"http://127.0.0.1:{site.port}/fleet/runs/{run}")
    browser.press("Stop")
    until(lambda: browser.script(_STATE) == "stopped", what=lambda: browser.told)
    browser.close_tab()
    browser.wait_for("stopped")
    assert "word-000" in browser.answer
    assert "word-099" not in browser.answer


_STATE = "return document.querySelector('[data-testid=state]')?.textContent"


def test_who_may_look_sees_the_run_of_another_and_a_stranger_does_not_even_learn_that_it_is_there(
    site: FleetSite, visitor: Visitor, play: Play
) -> None:
    play("word")
    operator, stranger = Visitor(site.lasting_port), Visitor(site.full_port)
    with visitor.ask("Count.") as stream:
        stream.wait_for("delta")
        with operator.resume(stream.run, after=0) as followed:
            assert followed.response.status_code == 200
            assert next(followed.events())["type"] == "start"
        refused = stranger.http.get(f"/agent/runs/{stream.run}/events")
        assert (refused.status_code, stream.run in refused.text) == (404, False)
        assert stranger.http.get(f"/agent/runs/{stream.run}").status_code == 404
        assert stranger.post(f"/agent/runs/{stream.run}/abort", {}).status_code == 404
        for address in ("/fleet", f"/fleet/runs/{stream.run}"):
            assert stranger.http.get(address).status_code == 403
            assert operator.http.get(address).status_code == 200
        assert stranger.post(f"/fleet/runs/{stream.run}/abort", {}).status_code == 403
        assert "".join(said(stream.events())).split()[-1] == words("word")[-1]
    for each in (operator, stranger):
        each.http.close()


def said(events: Iterator[dict[str, Any]]) -> list[str]:
    return [event["text"] for event in events if event["type"] == "delta"]


def test_a_permission_is_given_while_the_run_is_on_another_machine(site: FleetSite, visitor: Visitor) -> None:
    site.work("two", "--queue", "default=4")
    with visitor.ask("Prepare the fair. [[scenario:task-demo]]", address="/task") as task:
        asked = task.wait_for("permission_request")
        host = site.redis.client.hget(f"agent-workers:run:{{{task.run}}}:job", "host")
        assert host in (b"one", b"two")
    # The page has gone; the answer is given by another request, of another PHP.
    answer = f"/task/{task.run}/permissions/{asked['permission_id']}"
    site.restart_php()
    # Where PHP ended after the answer had gone, and before it said so, the answer stands: 410.
    until(lambda: visitor.post(answer, {"behavior": "allow"}).status_code in {204, 410}, what=site.left)
    job = f"agent-workers:run:{{{task.run}}}:job"
    until(lambda: site.redis.client.hget(job, "state") == b"done", what=site.left)
