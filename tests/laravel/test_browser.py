"""What a person sees who types a prompt into the page."""

from itertools import pairwise

import pytest

from agent_workers.simulator import Simulator
from tests.laravel.browser import Browser
from tests.laravel.site import REPOSITORY, Site
from tests.waiting import until

PICTURES = REPOSITORY / ".artifacts"
AIM_S = 3
"""Within this time, worker and CLI are to be gone when their reader has."""
BUSY_S = 2 * AIM_S
"""How long a test waits for it, for the machine may be busy."""


def calls(simulator: Simulator, mark: str) -> int:
    """How often the model was asked something with this mark in it."""
    return sum(mark in str(record.body) for record in simulator.requests("/v1/messages"))


@pytest.mark.parametrize("page", ["/", "/plain"])
def test_words_appear_one_after_another(site: Site, browser: Browser, page: str) -> None:
    browser.open(f"http://127.0.0.1:{site.port}{page}")
    browser.say("Tell me of lighthouses. [[scenario:long-text]]")
    until(lambda: browser.changes > 3)
    assert browser.status == "streaming"
    name = page.strip("/") or "react"
    browser.screenshot(PICTURES / f"laravel-{name}-streaming.png")
    until(lambda: browser.status == "done")
    browser.screenshot(PICTURES / f"laravel-{name}-done.png")
    partial = browser.partial_answers
    assert len(partial) > 20
    assert all(longer.startswith(shorter) for shorter, longer in pairwise(partial))
    assert "The life of a lighthouse" in browser.answer
    assert "one cape from the next" in browser.answer


def test_stop_leaves_what_was_said_and_no_process(site: Site, browser: Browser) -> None:
    browser.open(f"http://127.0.0.1:{site.port}/")
    browser.say("Speak slowly. [[scenario:slow]]")
    until(lambda: browser.changes > 3)
    assert site.processes("claude")
    browser.press("Stop")
    until(lambda: not site.processes(), within_s=BUSY_S, what=f"worker and CLI gone; the aim is {AIM_S} s")
    assert browser.status == "stopped"
    assert "Stopped." in browser.text
    assert browser.answer
    browser.screenshot(PICTURES / "laravel-stopped.png")


@pytest.mark.parametrize("page", ["/", "/plain"])
def test_stop_ends_a_run_that_would_go_on_without_its_page(site: Site, browser: Browser, page: str) -> None:
    browser.open(f"http://127.0.0.1:{site.lasting_port}{page}")
    browser.say("Speak slowly. [[scenario:slow]]")
    until(lambda: browser.changes > 3)
    assert site.processes("claude")
    browser.press("Stop")
    until(lambda: not site.processes(), within_s=BUSY_S, what=f"worker and CLI gone; the aim is {AIM_S} s")
    assert browser.status == "stopped"
    browser.reload()
    until(lambda: browser.status == "idle", what="nothing to go on with")


@pytest.mark.parametrize("page", ["/", "/plain"])
def test_a_reload_goes_on_with_an_answer_that_can_still_be_stopped(
    site: Site, browser: Browser, simulator: Simulator, page: str
) -> None:
    browser.open(f"http://127.0.0.1:{site.lasting_port}{page}")
    prompt = f"Reload, then stop {page}. [[scenario:slow]]"
    browser.say(prompt)
    until(lambda: browser.changes > 3)
    before = browser.answer
    browser.reload()
    until(lambda: browser.status == "streaming" and len(browser.answer) > len(before), what="more of the answer")
    assert browser.answer.startswith(before)
    assert site.processes("claude")
    browser.screenshot(PICTURES / f"laravel-{page.strip('/') or 'react'}-reloaded.png")
    browser.press("Stop")
    until(lambda: not site.processes(), within_s=BUSY_S, what=f"worker and CLI gone; the aim is {AIM_S} s")
    assert browser.status == "stopped"
    assert calls(simulator, prompt) == 1


def test_a_reload_goes_on_to_the_end_and_with_the_conversation(site: Site, browser: Browser) -> None:
    browser.open(f"http://127.0.0.1:{site.lasting_port}/")
    browser.say("Tell me of lighthouses. [[scenario:long-text]]")
    until(lambda: browser.changes > 3)
    browser.reload()
    until(lambda: browser.status == "done", what="the end of the answer")
    assert browser.answer.count("The life of a lighthouse") == 1
    assert "one cape from the next" in browser.answer
    browser.say("What was my first prompt? [[scenario:memory]]")
    until(lambda: "2 prompts" in browser.answer and browser.status == "done", what=browser.answer)


@pytest.mark.parametrize("scenario", ["slow", "stall-before", "stall-mid-stream"])
def test_a_closed_tab_ends_worker_and_cli_though_the_model_is_silent(
    site: Site, browser: Browser, simulator: Simulator, scenario: str
) -> None:
    browser.open(f"http://127.0.0.1:{site.port}/")
    browser.new_tab()
    browser.open(f"http://127.0.0.1:{site.port}/")
    browser.say(f"Close me. [[scenario:{scenario}]]")
    until(lambda: any(r.scenario == scenario and r.outcome == "in_progress" for r in simulator.requests()))
    assert site.processes("claude")
    browser.close_tab()
    until(lambda: not site.processes(), within_s=BUSY_S, what=f"worker and CLI gone; the aim is {AIM_S} s")


def test_a_failure_of_the_api_is_told_and_can_be_retried(site: Site, browser: Browser, simulator: Simulator) -> None:
    browser.open(f"http://127.0.0.1:{site.port}/")
    browser.say("Fail. [[scenario:overloaded-529]]")
    until(lambda: browser.status == "error")
    assert "overloaded" in browser.script("return document.querySelector('[role=alert]').textContent")
    browser.screenshot(PICTURES / "laravel-error.png")
    before = calls(simulator, "Fail. [[scenario:overloaded-529]]")
    browser.press("Retry")
    until(lambda: calls(simulator, "Fail. [[scenario:overloaded-529]]") > before)
    until(lambda: browser.status == "error")
    # The second try goes on with the session that the first one had begun.
    assert "overloaded" in browser.script("return document.querySelector('[role=alert]').textContent")


def test_a_conversation_goes_on(site: Site, browser: Browser) -> None:
    browser.open(f"http://127.0.0.1:{site.port}/")
    browser.say("My name is Ada. [[scenario:memory]]")
    until(lambda: browser.status == "done")
    browser.say("What is my name? [[scenario:memory]]")
    until(lambda: "2 prompts" in browser.answer and browser.status == "done")
    assert "My name is Ada." in browser.answer


@pytest.mark.parametrize("page", ["/", "/plain"])
def test_a_reload_in_mid_stream_starts_no_second_run(
    site: Site, browser: Browser, simulator: Simulator, page: str
) -> None:
    browser.open(f"http://127.0.0.1:{site.port}{page}")
    prompt = f"Reload {page}. [[scenario:slow]]"
    browser.say(prompt)
    until(lambda: browser.changes > 3)
    browser.reload()
    until(lambda: not site.processes(), within_s=BUSY_S, what="the run of the page that has gone")
    until(lambda: browser.status in ("idle", "stopped"))
    assert calls(simulator, prompt) == 1


@pytest.mark.parametrize("page", ["/", "/plain"])
def test_a_lost_connection_goes_on_where_it_broke_and_starts_no_second_run(
    site: Site, browser: Browser, simulator: Simulator, page: str
) -> None:
    browser.open(f"http://127.0.0.1:{site.lasting_port}{page}")
    prompt = f"Go on {page}. [[scenario:long-text]]"
    browser.say(prompt)
    until(lambda: browser.changes > 3)
    site.stop_nginx()
    site.start_nginx()
    until(lambda: browser.status == "done")
    assert browser.answer.count("The life of a lighthouse") == 1
    assert browser.answer.count("one cape from the next") == 1
    assert calls(simulator, prompt) == 1
