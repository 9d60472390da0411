"""What a person sees while an agent works, and says to it: output as it is printed, a question, a word in between."""

from collections.abc import Iterator

import pytest

from agent_workers.simulator import Simulator
from agent_workers.simulator.scenario_file import parse_scenario
from tests.laravel.browser import Browser
from tests.laravel.site import Site
from tests.laravel.test_browser import A_HUNDRED_WORDS
from tests.laravel.test_task_page import TaskPage, told_to_the_model
from tests.waiting import until

LINES = 8
# Each line is printed only once the test has put a file there: it does so when it has seen the line before.
BY_ORDER = (
    f"for n in $(seq {LINES}); do until [ -e seen-$n ]; do sleep 0.05; done; "
    r"printf '\033[3%dmline %d\033[0m\n' $n $n; done"
)
MUCH = "yes | head -c 50M"
_OUTPUT = """
    const outputs = [...document.querySelectorAll("[data-testid=tool] [aria-label=output]")];
    return outputs.map((output) => output.textContent);
"""
_ASKED = "return document.querySelector('[data-question]') !== null"
_ROWS = "return [...document.querySelectorAll('[data-testid=tool] .line')].length"
_STEERS = "return [...document.querySelectorAll('[data-testid=steer]')].map((each) => each.className)"


def bash(command: str) -> dict[str, object]:
    return {"type": "tool_use", "name": "Bash", "input": {"command": command, "description": "As the test wants it"}}


def asks(question: str, *labels: str) -> dict[str, object]:
    options = [{"label": label, "description": f"{label} it will be"} for label in labels]
    asked = {"question": question, "header": "Partner", "options": options, "multiSelect": False}
    return {"type": "tool_use", "name": "AskUserQuestion", "input": {"questions": [asked]}}


def steps(*contents: dict[str, object]) -> dict[str, object]:
    return {"description": "for a test", "steps": [{"content": [content]} for content in contents]}


@pytest.fixture
def page(site: Site, browser: Browser, simulator: Simulator) -> Iterator[TaskPage]:
    yield TaskPage(site, browser, site.lasting_port)
    simulator.play("hello")


def output(page: TaskPage) -> str:
    found = page.browser.script(_OUTPUT)
    return found[-1] if found else ""


def test_each_line_is_in_the_page_before_the_next_is_printed_and_a_word_in_between_is_read(
    page: TaskPage, simulator: Simulator
) -> None:
    browser = page.browser
    simulator.play(parse_scenario("live", steps(bash(BY_ORDER), {"type": "text", "text": "You told me: ${result}"})))
    browser.say("Print and listen.")
    page.wait_for_questions()
    page.decide("Allow")
    for number in range(1, LINES + 1):
        (page.folder / f"seen-{number}").touch()
        until(lambda seen=number: output(page).endswith(f"line {seen}\n"), what=lambda: output(page))
        assert f"line {number + 1}" not in output(page)
        if number == 3:
            browser.say("Use the other file.")
            until(lambda: browser.script(_STEERS) == ["waiting"], what=lambda: browser.told)
            browser.look_at("output-and-word")
        if number == 5:
            browser.reload()
            until(lambda: output(page).endswith("line 5\n"), what=lambda: browser.told)
            assert browser.script(_STEERS) == ["waiting"]
    page.wait_for_end()
    assert browser.status == "done"
    assert browser.script(_STEERS) == ["read"]
    assert "Use the other file." in told_to_the_model(simulator)
    assert output(page) == "".join(f"line {number}\n" for number in range(1, LINES + 1))
    assert browser.script("return document.querySelector('.printed .red').textContent") == "line 1"
    browser.look_at("output-done")
    browser.say("And now? [[scenario:hello]]")
    browser.wait_for("done")


def test_a_command_that_prints_fifty_megabytes_leaves_the_page_alive_and_a_question_is_answered_in_it(
    page: TaskPage, simulator: Simulator
) -> None:
    browser = page.browser
    question = asks("Which partner?", "Murtal Messebau", "Ennstal AG")
    simulator.play(
        parse_scenario("much", steps(bash(MUCH), question, {"type": "text", "text": "Then it is: ${result}"}))
    )
    browser.say("Print much, then ask.")
    page.wait_for_questions()
    page.decide("Allow")
    until(lambda: browser.script(_ASKED), what=lambda: browser.told)
    assert 0 < browser.script(_ROWS) <= 500
    card = browser.script("return document.querySelector('[data-testid=tool]').textContent")
    assert "lines before these are not shown." in card
    assert "more bytes were printed than are shown." in card
    assert "left, then the agent goes on without an answer" in browser.text
    browser.look_at("agent-question")
    browser.press("Answer")
    until(lambda: "Choose an answer" in browser.text, what=lambda: browser.told)
    browser.script("document.querySelector('[data-question] [type=radio]').focus()")
    browser.keys("\ue00d")  # the space bar
    browser.press("Answer")
    page.wait_for_end()
    assert browser.status == "done"
    assert "Answered by you." in browser.text
    assert "Murtal Messebau" in browser.answer
    browser.look_at("agent-question-answered")


def test_a_word_that_comes_too_late_can_be_sent_as_the_next_message_with_which_the_conversation_goes_on(
    site: Site, browser: Browser, simulator: Simulator
) -> None:
    browser.open(f"http://127.0.0.1:{site.port}/")
    simulator.play(A_HUNDRED_WORDS)
    try:
        browser.say("My name is Ada.")
        browser.wait_for_changes(3)
        browser.say("What is my name? [[scenario:memory]]")
        browser.wait_for("done")
    finally:
        simulator.play("hello")
    assert browser.script(_STEERS) == ["late"]
    assert "word-100." in browser.answer
    assert "What is my name?" not in told_to_the_model(simulator)
    browser.look_at("too-late")
    browser.press("Send as the next message")
    until(lambda: "2 prompts" in browser.answer and browser.status == "done", what=lambda: browser.told)
    assert "My name is Ada." in browser.answer
    assert "What is my name?" in told_to_the_model(simulator)
    assert not browser.has_button("Send as the next message")
