"""Pages of others' front ends: ``useChat`` of the AI SDK and AG-UI's agent, in a browser, fed by the PHP bridge."""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.laravel.browser import Browser
from tests.laravel.site import REPOSITORY, Site
from tests.waiting import PATIENCE_S, until

FRAMES = REPOSITORY / "tools/frames"
README = (REPOSITORY / "php-bridge/README.md").read_text("utf-8")
ROUTES = """
Route::view('/use-chat', 'front-end', ['script' => 'use-chat']);
Route::view('/ag-ui', 'front-end', ['script' => 'ag-ui']);
Route::post('/ask-by-use-chat', fn (\\AgentWorkers\\Laravel\\Http\\ChatRequest $request, \\App\\TaskFolder $folder) =>
    Agent::task($request, $folder->of($request->session()->getId()))->tools(['Bash'])->askVisitor()->format('ai-sdk'));
"""
VIEW = '<!doctype html><title>A page</title><div id="root"></div><script src="/{{ $script }}.js"></script>'
PARTS = (
    "return [...document.querySelectorAll('[data-testid=tool]')].map((tool) => [tool.dataset.state, tool.innerText])"
)


def snippet(language: str, words: str) -> str:
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return next(block for block in blocks if words in block)


@pytest.fixture(scope="module")
def pages(running_site: Site) -> Iterator[str]:
    """The address of the site, which has a page of each."""
    app = running_site.app
    routes, view = app / "routes/web.php", app / "resources/views/front-end.blade.php"
    kept = routes.read_text()
    by_ag_ui = snippet("php", "new AgUiEncoder").replace("'/agent'", "'/ask-by-ag-ui'")
    deferred = snippet("php", "mode('defer')\n        ->conversation").replace(
        "'/srv/checkout'", f"'{running_site.state}'"
    )
    added = (by_ag_ui + deferred).replace("new AgUiEncoder", "new \\AgentWorkers\\Sse\\AgUiEncoder")
    routes.write_text(kept + ROUTES + added.replace("Decision::", "\\AgentWorkers\\Decision::"))
    view.write_text(VIEW)
    built = [app / "public/use-chat.js", app / "public/ag-ui.js"]
    command = [
        FRAMES / "node_modules/.bin/esbuild",
        "pages/use-chat.jsx",
        "pages/ag-ui.js",
        "--bundle",
        "--jsx=automatic",
    ]
    subprocess.run(
        [*command, f"--outdir={app / 'public'}"], cwd=FRAMES, check=True, timeout=PATIENCE_S, capture_output=True
    )
    address = f"http://127.0.0.1:{running_site.port}"
    until(lambda: httpx.get(f"{address}/use-chat", trust_env=False).status_code == 200, what="the page")  # opcache
    try:
        yield address
    finally:
        routes.write_text(kept)
        for path in (view, *built):
            path.unlink()


def told(browser: Browser) -> dict[str, Any]:
    """The metadata of the message that the page shows."""
    return json.loads(browser.script("return document.querySelector('[data-testid=end]').textContent")) or {}


def wait_for_state(browser: Browser, state: str) -> str:
    """Waits until the one tool on the page is in this state; returns what stands there."""

    def seen() -> str | None:
        parts = browser.script(PARTS)
        return parts[0][1] if [part[0] for part in parts] == [state] else None

    return until(seen, what=lambda: browser.text)


def test_a_person_allows_a_call_on_a_page_with_use_chat_and_the_page_shows_the_run_again_after_a_reload(
    pages: str, site: Site, browser: Browser
) -> None:
    browser.open(f"{pages}/use-chat")
    browser.say("Make the file. [[scenario:task-touch]]")
    assert "touch made-by-the-agent" in wait_for_state(browser, "approval-requested")
    assert list((site.app / "storage/app/tasks").glob("*/made-by-the-agent")) == []
    browser.press("Approve")
    wait_for_state(browser, "output-available")
    until(lambda: told(browser).get("end") == "done", what=lambda: browser.text)
    assert browser.answer == "That was it."
    [made] = (site.app / "storage/app/tasks").glob("*/made-by-the-agent")
    made.unlink()
    assert told(browser)["usage"]["output_tokens"] > 0
    until(lambda: browser.status == "ready", what=lambda: browser.status)
    browser.reload()
    wait_for_state(browser, "output-available")
    until(lambda: browser.status == "ready", what=lambda: browser.status)
    assert browser.answer == "That was it."


def test_a_person_denies_a_call_on_a_page_with_use_chat(pages: str, site: Site, browser: Browser) -> None:
    browser.open(f"{pages}/use-chat")
    browser.say("Make the file. [[scenario:task-touch]]")
    wait_for_state(browser, "approval-requested")
    browser.press("Deny")
    wait_for_state(browser, "output-denied")
    until(lambda: told(browser).get("end") == "done", what=lambda: browser.text)
    assert list((site.app / "storage/app/tasks").glob("*/made-by-the-agent")) == []


@pytest.mark.usefixtures("site")
def test_a_page_with_the_agent_of_ag_ui_shows_the_answers_of_a_conversation(pages: str, browser: Browser) -> None:
    browser.open(f"{pages}/ag-ui")
    browser.say("Hello")
    until(lambda: browser.status not in ("ready", "running"), what=lambda: browser.text)
    assert browser.status == "assistant"
    assert "You said: Hello" in browser.answer
    browser.say(" again")
    until(lambda: "You said: Hello again" in browser.answer, what=lambda: browser.text)


def test_a_call_that_ends_the_run_of_ag_ui_by_an_interrupt_is_made_when_the_next_run_allows_it(
    pages: str, site: Site, browser: Browser
) -> None:
    browser.open(f"{pages}/ag-ui?task")
    browser.say("Make the file. [[scenario:task-touch]]")
    browser.press("Approve")
    until(lambda: browser.answer.startswith("That was it."), what=lambda: browser.text)
    (site.state / "made-by-the-agent").unlink()


@pytest.mark.parametrize(
    ("words", "page"),
    [("DefaultChatTransport", "use-chat.jsx"), ("permissions/${", "use-chat.jsx"), ("HttpAgent", "ag-ui.js")],
)
def test_what_the_readme_shows_is_on_the_page(words: str, page: str) -> None:
    code = (FRAMES / "pages" / page).read_text("utf-8").replace("-by-use-chat", "").replace("/ask-by-ag-ui", "/agent")
    assert snippet("js", words).split("// …")[0] in code
