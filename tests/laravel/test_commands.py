"""What a person sees who runs a tool from the chat: its card, and what went wrong where it could not run."""

from typing import Any

import pytest

from agent_workers.simulator import Simulator
from tests.laravel.browser import Browser
from tests.laravel.site import Site
from tests.waiting import until

_CARDS = """return [...document.querySelectorAll("[data-testid=tool]")].map((card) => ({
    head: card.querySelector(".head").innerText.split("\\n").join(" "),
    line: card.querySelector("summary").innerText,
    status: card.querySelector("[data-testid=tool-status]").textContent,
    isApplications: card.querySelector(".badge") !== null,
    input: card.querySelector("[aria-label=input]").textContent,
    output: card.querySelector("[aria-label=output]")?.textContent ?? "",
    result: card.querySelector("[aria-label=result]")?.textContent ?? "",
    text: card.innerText,
}))"""


def run(page: Browser, command: str) -> dict[str, Any]:
    """Types a command, and returns its card as soon as it has ended."""
    page.say(command)
    page.wait_for("done", "error")
    return page.script(_CARDS)[-1]


@pytest.fixture
def page(site: Site, browser: Browser) -> Browser:
    browser.look(width=900, height=700, scheme="light")
    browser.open(f"http://127.0.0.1:{site.port}/")
    return browser


def test_tools_of_the_application_and_of_a_server_run_without_the_model_which_is_told_afterwards(
    site: Site, page: Browser, simulator: Simulator
) -> None:
    asked = len(simulator.requests())
    card = run(page, "/find_partner city=Graz")
    assert card["isApplications"]
    assert card["line"].startswith("Find partner")
    assert card["head"].endswith(" s")
    assert card["input"] == "city: Graz"
    assert card["output"] == "Looking through 4 partners\n"
    assert "Murtal Messebau" in card["result"]
    assert page.answer == ""
    card = run(page, '/mcp crm.search {"q": "Murtal"}')
    assert card["line"].startswith("crm: search")
    assert card["status"] == "done"
    assert "Looking at Acme\nLooking at Globex\n" in card["output"]
    assert "Murtal Messebau: Graz" in card["result"]
    page.look_at("command")
    assert len(simulator.requests()) == asked
    page.say("Whom did I find? [[scenario:hello]]")
    page.wait_for("done")
    assert "Murtal Messebau: Graz" in str(simulator.requests("/v1/messages")[-1].body)


def test_a_tool_of_the_application_runs_in_the_page_without_a_build(
    site: Site, browser: Browser, simulator: Simulator
) -> None:
    asked = len(simulator.requests())
    browser.open(f"http://127.0.0.1:{site.port}/plain")
    browser.say("/find_partner city=Graz")
    browser.wait_for("done")
    assert "Looking through 4 partners\n" in browser.text
    browser.look_at("command-plain")
    assert len(simulator.requests()) == asked


def test_a_command_that_cannot_run_says_why_and_what_may_have_been_meant(page: Browser, simulator: Simulator) -> None:
    asked = len(simulator.requests())
    for command, told in {
        "/find_partner citty=Graz": 'Did you mean "city"?',
        "/find_partners city=Graz": 'Did you mean "find_partner"?',
        "/mcp crm.serch q=Murtal": 'Did you mean "crm.search"?',
        "/mcp crm.list_partners": "You may not run crm.list_partners.",
    }.items():
        page.say(command)
        until(lambda told=told: page.status == "error" and told in page.text, what=lambda: page.text)
        assert not page.has_button("Try again")
    assert page.script(_CARDS) == []
    page.look_at("command-refused")
    assert len(simulator.requests()) == asked


def test_a_tool_that_dies_midway_shows_how_far_it_came_and_runs_again(site: Site, page: Browser) -> None:
    server = site.root / "examples/mcp/partners.py"
    whole = server.read_text()
    server.write_text(whole.replace("    return [f", "    import os\n\n    os._exit(3)\n    return [f"))
    try:
        card = run(page, "/mcp crm.search q=Murtal")
        assert card["line"].startswith("crm: search")
        assert card["status"] == "failed"
        assert "Looking at Acme" in card["output"]
        assert card["result"]
        page.look_at("command-died")
    finally:
        server.write_text(whole)
    page.press("Try again")
    until(lambda: "Murtal Messebau: Graz" in page.text and page.status == "done", what=lambda: page.text)
    assert len(page.script(_CARDS)) == 1
