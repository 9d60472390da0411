"""What a person sees who gives the agent a task: its calls, its questions, and what the answers to these do."""

from pathlib import Path
from typing import Any

import pytest

from agent_workers.simulator import Simulator
from tests.laravel.browser import PICTURES, Browser
from tests.laravel.site import REPOSITORY, Site
from tests.laravel.visitor import Visitor
from tests.waiting import until

SAMPLE = (REPOSITORY / "examples/laravel/resources/notes.txt").read_text()
WRITTEN = "[x] find somebody in Graz who builds it: Murtal Messebau"
ANSWER = "Murtal Messebau in Graz builds stands."
BUSY_S = 6
"""How long a test waits for worker and CLI to go; the aim is 3 s."""
ESCAPE, TAB, ENTER, SPACE = "\ue00c", "\ue004", "\ue007", "\ue00d"
_CARDS = """return [...document.querySelectorAll("[data-testid=tool]")].map((card) => ({
    name: card.dataset.tool,
    line: card.querySelector("summary").innerText,
    status: card.querySelector("[data-testid=tool-status]").textContent,
    input: card.querySelector("[aria-label=input]").textContent,
    result: card.querySelector("[aria-label=result]")?.textContent ?? "",
    head: card.querySelector(".head").textContent,
    isApplications: card.querySelector(".badge") !== null,
    notes: [...card.querySelectorAll(".note")].map((note) => note.textContent),
}))"""
_QUESTIONS = """return [...document.querySelectorAll("[role=alertdialog]")].map((dialog) => ({
    id: dialog.dataset.permission,
    title: dialog.querySelector("h2").textContent,
    input: dialog.querySelector("[aria-label=input]").textContent,
    text: dialog.innerText,
    taken: [...dialog.querySelectorAll("button")].some((button) => button.ariaDisabled === "true"),
    focused: dialog === document.activeElement,
}))"""


class TaskPage:
    """The page /task, opened by a visitor who was never there."""

    def __init__(self, site: Site, browser: Browser, port: int | None = None) -> None:
        self.browser = browser
        self._folders = site.app / "storage/app/tasks"
        self._others = set(self._folders.glob("*/"))
        browser.open(f"http://127.0.0.1:{port or site.port}/task")

    @property
    def folder(self) -> Path:
        """Where the agent works for this visitor."""
        [folder] = set(self._folders.glob("*/")) - self._others
        return folder

    @property
    def notes(self) -> str:
        return (self.folder / "notes.txt").read_text()

    @property
    def cards(self) -> dict[str, dict[str, Any]]:
        """The cards by the tools' names, in their order; of several of a tool the last."""
        return {card["name"]: card for card in self.browser.script(_CARDS)}

    @property
    def questions(self) -> list[dict[str, Any]]:
        return self.browser.script(_QUESTIONS)

    def wait_for_questions(self, count: int = 1) -> list[dict[str, Any]]:
        return until(lambda: found if len(found := self.questions) == count else None, what=lambda: self.browser.told)

    def decide(self, button: str, about: str = "") -> None:
        """Answers the question with this in its input, and waits until the page has taken the answer.

        A click right after questions have come or gone is not taken: it was aimed at what stood there before.
        """
        inside = f"//*[@role='alertdialog'][contains(., '{about}')]"

        def is_taken() -> bool:
            return all(question["taken"] for question in self.questions if about in question["input"])

        until(
            lambda: is_taken() or self.browser.press(button, inside),
            what=lambda: f"{button}: {about}: {self.browser.told}",
        )

    def deny(self, why: str) -> None:
        """Denies what is asked, with a word on why."""
        until(
            lambda: self.browser.has_button("Back") or self.browser.press("Deny"),
            what=lambda: f"Deny: {self.browser.told}",
        )
        self.browser.write(why, "Why not")
        self.decide("Deny")

    def wait_for_end(self) -> None:
        self.browser.wait_for("done", "error", "stopped")


@pytest.fixture
def page(site: Site, browser: Browser) -> TaskPage:
    return TaskPage(site, browser)


@pytest.fixture
def lasting_page(site: Site, browser: Browser) -> TaskPage:
    """Its run would go on without it."""
    return TaskPage(site, browser, site.lasting_port)


def told_to_the_model(simulator: Simulator) -> str:
    """The last call of the model."""
    return str(simulator.requests("/v1/messages")[-1].body)


def test_a_call_that_the_keyboard_alone_approves_runs_and_the_applications_own_tool_answers_the_model(
    page: TaskPage, simulator: Simulator
) -> None:
    page.browser.say("Prepare the fair. [[scenario:task-demo]]")
    [question] = page.wait_for_questions()
    assert question["title"] == "May the agent write notes.txt?"
    assert WRITTEN in question["input"]
    assert "left, then it is denied" in question["text"]
    cards = page.cards
    assert list(cards) == ["Read", "find_partner", "Write"]
    assert cards["Write"]["status"] == "waits for you"
    found = cards["find_partner"]
    assert found["status"] == "done"
    assert found["isApplications"]
    assert found["input"] == "city: Graz"
    assert "Murtal Messebau" in found["result"]
    assert "Atelier Novak" in found["result"]
    assert "Lindner Logistik" not in found["result"]
    assert page.notes == SAMPLE
    page.browser.screenshot(PICTURES / "laravel-task-question.png")
    assert question["focused"]
    page.browser.keys(ESCAPE, ENTER, SPACE)
    [question] = page.questions
    assert not question["taken"]
    page.browser.keys(TAB, TAB)
    assert page.browser.script("return document.activeElement.textContent") == "Allow"
    page.browser.keys(ENTER)
    page.wait_for_end()
    assert page.browser.script("return document.activeElement.tagName") == "TEXTAREA"
    page.browser.screenshot(PICTURES / "laravel-task-done.png")
    assert page.browser.status == "done"
    assert page.questions == []
    assert WRITTEN in page.notes
    cards = page.cards
    assert [card["status"] for card in cards.values()] == ["done", "done", "done"]
    assert cards["Read"]["input"] == "notes.txt"
    assert "find somebody in Graz" in cards["Read"]["result"]
    assert all(card["head"].endswith(" s") for card in cards.values())
    assert cards["Write"]["notes"] == ["Approved by you."]
    assert page.browser.answer.startswith(ANSWER)
    assert "+43 316 555 0142" in told_to_the_model(simulator)
    assert "tokens in" in page.browser.script("return document.querySelector('[data-testid=numbers]').title")
    assert "tokens" not in page.browser.text


def test_a_denied_call_does_not_run_and_the_run_goes_on(page: TaskPage, simulator: Simulator) -> None:
    page.browser.say("Prepare the fair. [[scenario:task-demo]]")
    page.wait_for_questions()
    page.deny("The notes are mine.")
    page.wait_for_end()
    page.browser.screenshot(PICTURES / "laravel-task-denied.png")
    assert page.browser.status == "done"
    card = page.cards["Write"]
    assert card["status"] == "not allowed"
    assert card["notes"] == ["Denied by you."]
    assert page.notes == SAMPLE
    assert "The notes are mine." in told_to_the_model(simulator)
    assert page.browser.answer.startswith(ANSWER)
    assert "Not allowed: Write." in page.browser.text


def test_two_questions_at_once_can_be_answered_in_reverse_order(page: TaskPage) -> None:
    page.browser.say("Look at both. [[scenario:task-two-questions]]")
    first, second = page.wait_for_questions(2)
    assert first["id"] != second["id"]
    assert ("hosts" in first["input"], "hostname" in second["input"]) == (True, True)
    page.browser.screenshot(PICTURES / "laravel-task-two-questions.png")
    page.decide("Allow", "/etc/hostname")
    [left] = page.wait_for_questions(1)
    assert left["id"] == first["id"]
    page.decide("Deny", "/etc/hosts")
    page.wait_for_end()
    cards = page.browser.script(_CARDS)
    assert [(card["status"], card["notes"]) for card in cards] == [
        ("not allowed", ["Denied by you."]),
        ("done", ["Approved by you."]),
    ]
    assert Path("/etc/hostname").read_text().strip() in cards[1]["result"]
    assert page.browser.answer.startswith("Those were the two files")


def test_stop_ends_a_task_that_would_go_on_without_its_page_closes_its_question_and_allows_nothing(
    site: Site, lasting_page: TaskPage
) -> None:
    page = lasting_page
    page.browser.say("Prepare the fair. [[scenario:task-demo]]")
    page.wait_for_questions()
    page.browser.press("Stop")
    until(lambda: not page.questions, what=lambda: page.browser.told)
    assert page.browser.status == "stopped"
    until(lambda: not site.processes(), within_s=BUSY_S, what=site.left)
    assert page.notes == SAMPLE
    card = page.cards["Write"]
    assert (card["status"], card["notes"]) == ("not finished", ["Not answered: the run ended."])


def test_a_reload_puts_the_open_question_again_and_its_answer_counts(lasting_page: TaskPage) -> None:
    page = lasting_page
    page.browser.say("Prepare the fair. [[scenario:task-demo]]")
    [question] = page.wait_for_questions()
    page.browser.reload()
    [again] = page.wait_for_questions()
    assert (again["id"], again["input"]) == (question["id"], question["input"])
    page.browser.look_at("question-reloaded")
    assert "left, then it is denied" in again["text"]
    assert list(page.cards) == ["Read", "find_partner", "Write"]
    page.decide("Allow")
    page.wait_for_end()
    assert page.browser.status == "done"
    assert WRITTEN in page.notes


def test_an_answer_that_the_server_refuses_can_be_given_again(page: TaskPage) -> None:
    page.browser.say("Prepare the fair. [[scenario:task-demo]]")
    page.wait_for_questions()
    token = page.browser.script("return document.querySelector('meta[name=csrf-token]').content")
    set_token = "document.querySelector('meta[name=csrf-token]').content = arguments[0]"
    page.browser.script(set_token, "forged")

    def is_refused() -> bool:
        return "The page has expired." in page.questions[0]["text"]

    until(lambda: is_refused() or page.browser.press("Allow"), what=lambda: page.browser.told)
    assert page.notes == SAMPLE
    page.browser.script(set_token, token)
    page.decide("Allow")
    page.wait_for_end()
    assert WRITTEN in page.notes


def test_a_question_is_nobody_elses_to_answer(site: Site) -> None:
    asked, stranger = Visitor(site.port), Visitor(site.port)
    allow = {"behavior": "allow"}
    with asked.ask("Prepare the fair. [[scenario:task-demo]]", address="/task") as stream:
        question = stream.wait_for("permission_request")
        address = f"/task/{stream.run}/permissions/{question['permission_id']}"
        assert stranger.post(address, allow).status_code == 404
        assert asked.http.post(address, json=allow).status_code == 419
        assert asked.post(address, {"behavior": "always"}).status_code == 422
        assert asked.post(address, {"behavior": "deny"}).status_code == 204
        assert stream.wait_for("permission_resolved")["behavior"] == "deny"
        stream.wait_for("done")
    for visitor in (asked, stranger):
        visitor.http.close()


def test_the_pages_lead_to_each_other(site: Site, browser: Browser) -> None:
    browser.open(f"http://127.0.0.1:{site.port}/")
    browser.script("document.querySelector('nav a[href=\"/task\"]').click()")
    until(lambda: "You are asked before" in browser.text, what=lambda: browser.told)
    browser.script("document.querySelector('nav a[href=\"/\"]').click()")
    until(lambda: "Ask a question" in browser.text, what=lambda: browser.told)
