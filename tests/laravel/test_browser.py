"""What a person sees who types a prompt into the page."""

import re
from dataclasses import dataclass
from itertools import pairwise

import pytest

from agent_workers.simulator import Simulator
from agent_workers.simulator.scenario_file import parse_scenario
from tests.laravel.browser import PICTURES, Browser
from tests.laravel.site import Site
from tests.waiting import until

AIM_S = 3
"""Within this time, worker and CLI are to be gone when their reader has."""
BUSY_S = 2 * AIM_S
"""How long a test waits for it, for the machine may be busy."""
_WORDS = " ".join(f"word-{number}" for number in range(1, 101)) + "."
A_HUNDRED_WORDS = parse_scenario(
    "words",
    {"description": "Five seconds.", "steps": [{"delay_ms": 50, "content": [{"type": "text", "text": _WORDS}]}]},
)


def calls(simulator: Simulator, mark: str) -> int:
    """How often the model was asked something with this mark in it."""
    return sum(mark in str(record.body) for record in simulator.requests("/v1/messages"))


@dataclass
class Told:
    """What a page has shown of a long answer, in the middle of which it lost its connection."""

    status: str
    """Before the loss."""
    before: list[str]
    """Every text that the answer had before the loss."""
    partial: list[str]
    """Every text that the answer has had."""
    answer: str
    calls: int


@pytest.fixture(scope="module", params=["/", "/plain"])
def told(running_site: Site, running_browser: Browser, simulator: Simulator, request: pytest.FixtureRequest) -> Told:
    browser, name = running_browser, request.param.strip("/") or "react"
    browser.open(f"http://127.0.0.1:{running_site.lasting_port}{request.param}")
    prompt = f"Tell {name} of lighthouses. [[scenario:long-text]]"
    browser.say(prompt)
    browser.wait_for_changes(20)
    status, before = browser.status, browser.partial_answers
    browser.screenshot(PICTURES / f"laravel-{name}-streaming.png")
    running_site.stop_nginx()
    running_site.start_nginx()
    browser.wait_for("done")
    browser.screenshot(PICTURES / f"laravel-{name}-done.png")
    told = Told(status, before, browser.partial_answers, browser.answer, calls(simulator, prompt))
    browser.leave()
    return told


@pytest.mark.usefixtures("site")
def test_words_appear_one_after_another(told: Told) -> None:
    assert told.status == "streaming"
    assert len(told.before) > 20
    # A sign of Markdown, and where a link leads, is gone once it is whole; a button stands behind the code that comes.
    words = [re.sub(r"\]\([^)]*$|\W|Copy", "", text) for text in told.partial]
    taken_back = [(was[-60:], now[-60:]) for was, now in pairwise(words) if not now.startswith(was)]
    assert taken_back == []
    assert "The life of a lighthouse" in told.answer
    assert "one cape from the next" in told.answer


@pytest.mark.usefixtures("site")
def test_a_lost_connection_goes_on_where_it_broke_and_starts_no_second_run(told: Told) -> None:
    assert told.answer != told.before[-1]
    assert told.answer.count("The life of a lighthouse") == 1
    assert told.answer.count("one cape from the next") == 1
    assert told.calls == 1


def test_stop_leaves_what_was_said_and_no_process(site: Site, browser: Browser) -> None:
    browser.open(f"http://127.0.0.1:{site.port}/")
    browser.say("Speak slowly. [[scenario:slow]]")
    browser.wait_for_changes(3)
    assert site.processes("claude")
    browser.press("Stop")
    until(lambda: not site.processes(), within_s=BUSY_S, what=site.left)
    assert browser.status == "stopped"
    assert "You stopped this answer." in browser.text
    assert browser.answer
    browser.screenshot(PICTURES / "laravel-stopped.png")


@pytest.mark.parametrize("page", ["/", "/plain"])
def test_stop_ends_a_run_that_would_go_on_without_its_page(site: Site, browser: Browser, page: str) -> None:
    browser.open(f"http://127.0.0.1:{site.lasting_port}{page}")
    browser.say("Speak slowly. [[scenario:slow]]")
    browser.wait_for_changes(3)
    assert site.processes("claude")
    browser.press("Stop")
    until(lambda: not site.processes(), within_s=BUSY_S, what=site.left)
    assert browser.status == "stopped"
    if page == "/":
        assert "You stopped this answer." in browser.text
        assert browser.has_button("Send")
        browser.look_at("stopped")
    said = browser.answer
    browser.reload()
    # Both pages show what was said before the reload, and how it ended.
    until(lambda: browser.status == "stopped", what=lambda: browser.told)
    assert browser.answer == said
    assert browser.has_button("Send")


@pytest.mark.parametrize("page", ["/", "/plain"])
def test_a_reload_goes_on_with_an_answer_that_can_still_be_stopped(
    site: Site, browser: Browser, simulator: Simulator, page: str
) -> None:
    browser.open(f"http://127.0.0.1:{site.lasting_port}{page}")
    prompt = f"Reload, then stop {page}. [[scenario:slow]]"
    browser.say(prompt)
    browser.wait_for_changes(3)
    before = browser.answer
    browser.reload()
    until(lambda: browser.status == "streaming" and len(browser.answer) > len(before), what=lambda: browser.told)
    assert browser.answer.startswith(before)
    assert site.processes("claude")
    if page == "/":
        assert prompt.partition(" [[")[0] in browser.text
        assert browser.has_button("Stop")
        browser.look_at("reloaded")
    else:
        browser.screenshot(PICTURES / "laravel-plain-reloaded.png")
    browser.press("Stop")
    until(lambda: not site.processes(), within_s=BUSY_S, what=site.left)
    assert browser.status == "stopped"
    assert calls(simulator, prompt) == 1


def test_a_reload_goes_on_to_the_end_and_with_the_conversation(
    site: Site, browser: Browser, simulator: Simulator
) -> None:
    browser.open(f"http://127.0.0.1:{site.lasting_port}/")
    simulator.play(A_HUNDRED_WORDS)
    try:
        browser.say("Count.")
        browser.wait_for_changes(3)
        browser.reload()
        browser.wait_for("done")
    finally:
        simulator.play("hello")
    assert browser.answer.count("word-1 ") == 1
    assert "word-100." in browser.answer
    browser.say("What was my first prompt? [[scenario:memory]]")
    until(lambda: "2 prompts" in browser.answer and browser.status == "done", what=lambda: browser.told)


def test_a_closed_tab_ends_worker_and_cli_though_the_model_is_silent(
    site: Site, browser: Browser, simulator: Simulator
) -> None:
    browser.open(f"http://127.0.0.1:{site.port}/")
    for scenario in ("slow", "stall-before", "stall-mid-stream"):
        browser.new_tab()
        browser.open(f"http://127.0.0.1:{site.port}/")
        browser.say(f"Close me. [[scenario:{scenario}]]")
        until(
            lambda scenario=scenario: any(
                r.scenario == scenario and r.outcome == "in_progress" for r in simulator.requests()
            ),
            what=lambda: browser.told,
        )
        assert site.processes("claude"), scenario
        browser.close_tab()
        until(lambda: not site.processes(), within_s=BUSY_S, what=site.left)


def test_a_failure_of_the_api_is_told_and_can_be_retried(site: Site, browser: Browser, simulator: Simulator) -> None:
    browser.open(f"http://127.0.0.1:{site.port}/")
    browser.say("Fail. [[scenario:overloaded-529]]")
    browser.wait_for("error")
    assert "overloaded" in browser.script("return document.querySelector('[role=alert]').textContent")
    browser.screenshot(PICTURES / "laravel-error.png")
    before = calls(simulator, "Fail. [[scenario:overloaded-529]]")
    browser.press("Try again")
    until(lambda: calls(simulator, "Fail. [[scenario:overloaded-529]]") > before, what=lambda: browser.told)
    browser.wait_for("error")
    # The second try goes on with the session that the first one had begun.
    assert "overloaded" in browser.script("return document.querySelector('[role=alert]').textContent")


@pytest.mark.parametrize("page", ["/", "/plain"])
def test_a_reload_in_mid_stream_starts_no_second_run(
    site: Site, browser: Browser, simulator: Simulator, page: str
) -> None:
    browser.open(f"http://127.0.0.1:{site.port}{page}")
    prompt = f"Reload {page}. [[scenario:slow]]"
    browser.say(prompt)
    browser.wait_for_changes(3)
    browser.reload()
    until(lambda: not site.processes(), within_s=BUSY_S, what=site.left)
    until(lambda: browser.status in ("idle", "stopped"), what=lambda: browser.told)
    assert calls(simulator, prompt) == 1


def test_two_conversations_stay_over_a_reload_and_the_agent_remembers_each(site: Site, browser: Browser) -> None:
    browser.open(f"http://127.0.0.1:{site.port}/")
    browser.say("Of harbours.")
    browser.wait_for("done")
    browser.press("New conversation")
    browser.say("Of lighthouses. [[scenario:memory]]")
    until(lambda: "1 prompts" in browser.answer and browser.status == "done", what=lambda: browser.told)
    browser.reload()
    assert browser.script(_TITLES) == ["Of lighthouses. [[scenario:memory]]", "Of harbours."]
    browser.script("document.querySelectorAll('.conversations .row')[1].click()")
    until(lambda: "Of lighthouses" not in browser.script(_SAID), what=lambda: browser.told)
    browser.say("And? [[scenario:memory]]")
    until(lambda: "2 prompts" in browser.answer and browser.status == "done", what=lambda: browser.told)
    assert "The first was: Of harbours." in browser.answer
    assert browser.script(_TITLES)[0] == "Of harbours."


def test_a_conversation_of_a_session_that_is_over_is_said_to_be_gone_and_its_message_begins_a_new_one(
    site: Site, browser: Browser
) -> None:
    browser.open(f"http://127.0.0.1:{site.port}/")
    browser.say("Of harbours.")
    browser.wait_for("done")
    browser.forget_cookies()
    browser.reload()
    browser.say("And? [[scenario:memory]]")
    browser.wait_for("error")
    assert "does not have this conversation any more" in browser.text
    browser.look_at("conversation-gone")
    browser.press("Send it in a new conversation")
    until(lambda: "1 prompts" in browser.answer and browser.status == "done", what=lambda: browser.told)


_TITLES = "return [...document.querySelectorAll('.conversations .title')].map(({textContent}) => textContent)"
_SAID = "return document.querySelector('.scroll').textContent"
