"""What the page shows where a run did not simply end: on wide and narrow screens, light and dark."""

import json
import subprocess
from contextlib import ExitStack

import pytest

from tests.laravel.browser import Browser
from tests.laravel.site import REPOSITORY, Site
from tests.laravel.test_browser import PICTURES
from tests.laravel.visitor import Visitor
from tests.waiting import PATIENCE_S, until

LOOKS = [(width, height, scheme) for width, height in ((1280, 800), (390, 844)) for scheme in ("light", "dark")]
_KEEP_WHAT_IS_SENT = """
    const send = window.fetch;
    window.fetch = (address, init) => {
      if (init?.body) window.sent = init;
      return send(address, init);
    };
"""
_START_ANOTHER = """
    const body = JSON.stringify({...JSON.parse(window.sent.body), prompt: arguments[0]});
    window.other = new AbortController();
    fetch("/agent/chat", {...window.sent, body, signal: window.other.signal}).then(() => { window.begun = true; });
"""


@pytest.fixture
def page(browser: Browser) -> Browser:
    return browser


def look_at(browser: Browser, state: str) -> None:
    """Takes a picture on every screen, each of which shows all of the page's width."""
    for width, height, scheme in LOOKS:
        browser.look(width=width, height=height, scheme=scheme)
        browser.screenshot(PICTURES / f"state-{state}-{width}-{scheme}.png")
        overhang = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert browser.script(overhang) == 0, (state, width)


def test_a_page_that_lacks_its_stylesheet_is_not_taken_for_one_that_has_it(site: Site, page: Browser) -> None:
    style = site.app / "public/agent-chat.css"
    kept = style.rename(style.with_name("kept.css"))
    try:
        with pytest.raises(AssertionError, match=r"(?s)no stylesheet: .*agent-chat\.css.*404.*server: "):
            page.open(f"http://127.0.0.1:{site.port}/")
    finally:
        kept.rename(style)
    page.reload()


@pytest.mark.usefixtures("site")
def test_a_second_setup_leaves_the_files_alone_that_somebody_may_be_copying() -> None:
    example = REPOSITORY / "examples/laravel"
    files = [*(example / "public").glob("agent-*"), example / "resources/plain.html"]
    before = [(path.stat().st_ino, path.stat().st_mtime_ns) for path in files]
    subprocess.run([example / "setup.sh"], check=True, timeout=PATIENCE_S)
    assert len(files) == 4
    assert [(path.stat().st_ino, path.stat().st_mtime_ns) for path in files] == before


def test_a_stopped_answer(site: Site, page: Browser) -> None:
    page.open(f"http://127.0.0.1:{site.lasting_port}/")
    page.say("Speak slowly. [[scenario:slow]]")
    until(lambda: len(page.partial_answers) > 3)
    page.press("Stop")
    until(lambda: page.status == "stopped")
    look_at(page, "stopped")
    assert "Stopped." in page.text
    assert page.has_button("Send")


def test_an_answer_that_goes_on_after_a_reload(site: Site, page: Browser) -> None:
    page.open(f"http://127.0.0.1:{site.lasting_port}/")
    page.say("Speak slowly. [[scenario:slow]]")
    until(lambda: len(page.partial_answers) > 3)
    page.reload()
    until(lambda: page.status == "streaming" and page.answer)
    look_at(page, "reloaded")
    assert "Speak slowly." in page.text
    assert page.has_button("Stop")
    page.press("Stop")


def test_a_question_that_is_still_open_after_a_reload(site: Site, page: Browser) -> None:
    page.open(f"http://127.0.0.1:{site.lasting_port}/task")
    page.say("Prepare the fair. [[scenario:task-demo]]")
    until(lambda: page.has_button("Approve"))
    page.reload()
    until(lambda: page.has_button("Approve"))
    look_at(page, "question-reloaded")
    assert "left, then it is denied" in page.text
    page.press("Stop")


def test_a_conversation_in_which_another_answer_is_on_its_way(site: Site, page: Browser) -> None:
    page.open(f"http://127.0.0.1:{site.port}/")
    page.script(_KEEP_WHAT_IS_SENT)
    page.say("Hello [[scenario:hello]]")
    until(lambda: page.status == "done")
    page.script(_START_ANOTHER, "Speak slowly. [[scenario:slow]]")
    until(lambda: page.script("return window.begun"))
    page.say("And this? [[scenario:hello]]")
    until(lambda: page.status == "error")
    look_at(page, "busy")
    assert "(session_busy)" in page.text
    assert page.has_button("Retry")
    page.script("window.other.abort()")
    until(lambda: not site.processes(), what="the end of the other one")
    page.press("Retry")
    until(lambda: page.status == "done", what=page.text)


def test_a_server_without_a_free_place(site: Site, page: Browser) -> None:
    page.open(f"http://127.0.0.1:{site.full_port}/")
    visitors = [Visitor(site.full_port), Visitor(site.full_port)]
    with ExitStack() as streams:
        taken = [streams.enter_context(visitor.ask("Take your time. [[scenario:slow]]")) for visitor in visitors]
        assert all(stream.wait_for("delta") for stream in taken)
        page.say("Me too. [[scenario:hello]]")
        until(lambda: page.status == "error")
        look_at(page, "full")
        assert "The server is busy." in page.text
        assert json.dumps(page.text).count("(server_busy)") == 1
    until(lambda: not site.processes(), what="free places")
    page.press("Retry")
    until(lambda: page.status == "done", what=page.text)
    for visitor in visitors:
        visitor.http.close()
