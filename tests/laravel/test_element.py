"""The element <agent-chat> in Chromium: in a page without a build, and by the Blade component."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_workers.simulator import Simulator
from tests.laravel.browser import Browser
from tests.laravel.site import Site
from tests.laravel.test_task_page import ANSWER, ENTER, ESCAPE, SPACE, TAB, WRITTEN
from tests.waiting import until

_ASKED = """[...root.querySelectorAll("[part=permission]")].map((form) => ({
    title: form.querySelector("h2").textContent,
    text: form.innerText,
    taken: form.querySelector("[part~=approve]").ariaDisabled === "true",
    focused: form === root.activeElement,
}))"""
_TOOLS = """Object.fromEntries([...root.querySelectorAll("[part=tool]")].map((tool) => [
    tool.querySelector("[part=tool-name]").textContent,
    {
        state: tool.dataset.status,
        result: tool.querySelector("[part=tool-result]").textContent,
        notes: [...tool.querySelectorAll("[part=note]")].map((note) => note.textContent),
    },
]))"""


class Chat:
    """An element for tasks, opened by a visitor who was never there."""

    def __init__(self, site: Site, browser: Browser, page: str) -> None:
        self.browser = browser
        self.name = page.strip("/").replace("/", "-")
        self._folders = site.app / "storage/app/tasks"
        self._others = set(self._folders.glob("*/"))
        browser.open(f"http://127.0.0.1:{site.lasting_port}{page}")

    @property
    def notes(self) -> str:
        [folder] = set(self._folders.glob("*/")) - self._others
        return (Path(folder) / "notes.txt").read_text()

    @property
    def tools(self) -> dict[str, dict[str, Any]]:
        return self.browser.look_up(_TOOLS)

    def asked(self) -> dict[str, Any]:
        """The permission that is asked for, as soon as it is."""
        [asked] = until(lambda: self.browser.look_up(_ASKED), what=lambda: self.browser.told)
        return asked

    def decide(self, button: str) -> None:
        """Presses a button until the page has taken it: right after something has moved, it takes no click."""

        def is_taken() -> bool:
            return all(each["taken"] for each in self.browser.look_up(_ASKED))

        until(lambda: is_taken() or self.browser.press(button), what=lambda: self.browser.told)

    @property
    def said(self) -> list[str]:
        return self.browser.look_up("[...root.querySelectorAll('[part=prompt]')].map((each) => each.textContent)")


@pytest.fixture(params=["/plain/task", "/component/task"])
def chat(site: Site, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Chat]:
    return Chat(site, browser, request.param)


def test_it_asks_goes_on_after_a_reload_and_keeps_what_was_said(chat: Chat) -> None:
    prompt = "Prepare the fair. [[scenario:task-demo]]"
    chat.browser.say(prompt)
    assert chat.asked()["title"] == "May the agent use Write?"
    assert (chat.tools["find_partner"]["state"], chat.tools["Write"]["state"]) == ("ok", "waiting")
    chat.browser.look_at(f"element-{chat.name}-asks")
    chat.browser.reload()
    asked = chat.asked()
    assert "left, then it is denied" in asked["text"]
    assert chat.said == [prompt]
    chat.decide("Approve")
    chat.browser.wait_for("done")
    assert WRITTEN in chat.notes
    assert chat.tools["Write"] == chat.tools["Write"] | {"state": "ok", "notes": ["Approved by you."]}
    assert "Murtal Messebau" in chat.tools["find_partner"]["result"]
    assert ANSWER in chat.browser.answer
    chat.browser.look_at(f"element-{chat.name}-done")
    chat.browser.reload()
    assert chat.said == [prompt]
    assert ANSWER in chat.browser.answer
    chat.browser.say("What was my first prompt? [[scenario:memory]]")
    until(lambda: "2 prompts" in chat.browser.answer and chat.browser.status == "done", what=lambda: chat.browser.told)
    assert len(chat.said) == 2


def test_the_keyboard_alone_answers_and_no_key_by_mistake(chat: Chat) -> None:
    chat.browser.say("Prepare the fair. [[scenario:task-demo]]")
    assert chat.asked()["focused"]
    chat.browser.keys(ESCAPE, ENTER, SPACE)
    assert not chat.asked()["taken"]
    chat.browser.keys(TAB, TAB, TAB)
    assert chat.browser.look_up("root.activeElement.textContent") == "Approve"
    chat.browser.keys(ENTER)
    chat.browser.wait_for("done")
    assert chat.browser.look_up("root.activeElement.tagName") == "TEXTAREA"
    assert WRITTEN in chat.notes


def test_a_word_in_between_is_read_and_a_denied_call_does_not_run(chat: Chat) -> None:
    chat.browser.say("Prepare the fair. [[scenario:task-demo]]")
    chat.asked()
    chat.browser.say("Leave the notes alone.")
    until(lambda: "Waiting to be read." in chat.browser.text, what=lambda: chat.browser.told)
    chat.decide("Deny")
    chat.browser.wait_for("done")
    assert chat.tools["Write"]["state"] == "denied"
    assert WRITTEN not in chat.notes
    assert "Read." in chat.browser.text
    assert "Leave the notes alone." in chat.said


def test_it_is_dark_or_light_as_the_page_and_takes_the_pages_style(chat: Chat) -> None:
    colours = []
    for scheme in ("light", "dark"):
        chat.browser.look(width=900, height=700, scheme=scheme)
        colours.append(chat.browser.look_up("getComputedStyle(root.host).backgroundColor"))
    assert colours == ["rgb(255, 255, 255)", "rgb(23, 23, 27)"]
    style = "agent-chat { --agent-chat-accent: rgb(1, 2, 3) } agent-chat::part(textbox) { color: rgb(4, 5, 6) }"
    chat.browser.script(
        "document.head.append(Object.assign(document.createElement('style'), {textContent: arguments[0]}))", style
    )
    looks = chat.browser.look_up(
        "[getComputedStyle(root.querySelector('[part~=send]')).backgroundColor,"
        " getComputedStyle(root.querySelector('textarea')).color]"
    )
    assert looks == ["rgb(1, 2, 3)", "rgb(4, 5, 6)"]


def test_what_the_agent_asks_of_a_person_is_answered(chat: Chat) -> None:
    chat.browser.say("Plan the stand. [[scenario:question]]")
    form = "root.querySelector('[part=question]')"
    until(lambda: chat.browser.look_up(f"{form} === root.activeElement"), what=lambda: chat.browser.told)
    chat.browser.press("Answer")
    until(lambda: "Choose an answer, or write one." in chat.browser.text, what=lambda: chat.browser.told)
    chat.browser.write("Wien", "Other answer to: In which city is the stand?")
    for label in ("Water", "Power"):
        chat.browser.look_up(
            f"[...{form}.querySelectorAll('label')].find((each) => each.innerText.includes('{label}')).click()"
        )
    chat.browser.press("Answer")
    chat.browser.wait_for("done")
    assert "Wien" in chat.browser.answer
    assert "Power, Water" in chat.browser.answer


@pytest.mark.parametrize("page", ["/plain", "/component"])
def test_a_failure_of_the_api_is_told_and_can_be_tried_again(
    site: Site, browser: Browser, simulator: Simulator, page: str
) -> None:
    browser.open(f"http://127.0.0.1:{site.port}{page}")
    browser.say("Fail. [[scenario:overloaded-529]]")
    browser.wait_for("error")
    assert "overloaded" in browser.look_up("root.querySelector('[role=alert]').textContent")
    before = len(simulator.requests())
    browser.press("Retry")
    until(lambda: len(simulator.requests()) > before, what=lambda: browser.told)
    browser.wait_for("error")


def test_the_blade_component_streams_word_by_word(site: Site, browser: Browser) -> None:
    browser.open(f"http://127.0.0.1:{site.port}/component")
    browser.say("Tell of lighthouses. [[scenario:long-text]]")
    browser.wait_for_changes(20)
    assert browser.status == "streaming"
    browser.wait_for("done")
    assert "one cape from the next" in browser.answer


def test_what_is_written_on_an_accent_of_the_page_can_be_read(chat: Chat) -> None:
    colors = """((accent) => {
        root.host.style.setProperty("--agent-chat-accent", accent);
        return getComputedStyle(root.querySelector("[part~=send]")).color;
    })"""
    written = {accent: chat.browser.look_up(f"{colors}('{accent}')") for accent in ("#0a3d22", "#8ff0c0")}
    assert written == {"#0a3d22": "lch(100 0 0)", "#8ff0c0": "lch(0 0 0)"}


def test_an_answer_is_markdown_whose_table_scrolls_on_a_phone_and_whose_code_is_copied(
    site: Site, browser: Browser
) -> None:
    browser.open(f"http://127.0.0.1:{site.port}/component")
    browser.look(width=390, height=844, scheme="light")
    browser.say("Tell of lighthouses. [[scenario:long-text]]")
    browser.wait_for("done")
    found = browser.look_up(
        """{
            headings: root.querySelectorAll("[part=text] h3").length,
            link: [...root.querySelectorAll("[part=text] a")].map((each) => [each.href, each.target, each.rel])[0],
            scrolls: getComputedStyle(root.querySelector("[part=table]")).overflowX,
            overhang: named("messages").scrollWidth - named("messages").clientWidth,
        }"""
    )
    assert found == {
        "headings": 1,
        "link": ["https://example.com/lighthouse", "_blank", "noopener noreferrer"],
        "scrolls": "auto",
        "overhang": 0,
    }
    browser.look_at("element-markdown")
    assert [each for each in browser.faults() if each[0] not in ("landmark-one-main", "page-has-heading-one")] == []
    browser.press("Copy")
    until(lambda: browser.has_button("Copied") or browser.has_button("Not copied"), what=lambda: browser.told)
