"""What the page shows where a run did not simply end: on wide and narrow screens, light and dark."""

import subprocess
from contextlib import ExitStack

import pytest

from tests.laravel.browser import Browser
from tests.laravel.site import REPOSITORY, Site
from tests.laravel.visitor import Visitor
from tests.waiting import PATIENCE_S, until

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

_CODE = "return document.querySelector('[role=alert]').dataset.code"


@pytest.fixture
def page(browser: Browser) -> Browser:
    return browser


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


def test_a_server_without_a_free_place_and_a_conversation_in_which_another_answer_is_on_its_way(
    site: Site, page: Browser
) -> None:
    page.open(f"http://127.0.0.1:{site.full_port}/")
    page.script(_KEEP_WHAT_IS_SENT)
    visitors = [Visitor(site.full_port), Visitor(site.full_port)]
    with ExitStack() as streams:
        taken = [streams.enter_context(visitor.ask("Take your time. [[scenario:slow]]")) for visitor in visitors]
        assert all(stream.wait_for("delta") for stream in taken)
        page.say("Me too. [[scenario:hello]]")
        page.wait_for("error")
        page.look_at("full")
        assert page.text.count("The server is busy.") == 1
        assert page.script(_CODE) == "server_busy"
    until(lambda: not site.processes(), what=site.left)
    page.press("Try again")
    page.wait_for("done")
    for visitor in visitors:
        visitor.http.close()
    page.script(_START_ANOTHER, "Speak slowly. [[scenario:slow]]")
    until(lambda: page.script("return window.begun"), what=lambda: page.told)
    page.say("And this? [[scenario:hello]]")
    page.wait_for("error")
    page.look_at("busy")
    assert page.script(_CODE) == "session_busy"
    assert page.has_button("Try again")
    page.script("window.other.abort()")
    until(lambda: not site.processes(), what=site.left)
    page.press("Try again")
    page.wait_for("done")
