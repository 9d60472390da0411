"""Each state of the pages: pictures of it on wide and narrow screens, light and dark, and nothing that axe finds."""

from collections.abc import Callable, Iterator

import pytest

from agent_workers.simulator import Simulator
from agent_workers.simulator.scenario_file import parse_scenario
from tests.laravel.browser import PICTURES, Browser
from tests.laravel.site import Site
from tests.laravel.test_browser import A_HUNDRED_WORDS
from tests.laravel.test_live import asks, bash, steps
from tests.laravel.test_task_page import TaskPage
from tests.laravel.visitor import Visitor
from tests.waiting import until

MARKDOWN = """# Ports of the Adriatic

The three ports **differ** in what they are for. See the [harbour list](https://example.com/ports) for all of them, or
run `ports --all`.

| Port | Country | Depth | Berths | Largest ship | Operated by |
|---|---|--:|--:|---|---|
| Trieste | Italy | 18 m | 47 | 400 m, container | Autorità di Sistema Portuale |
| Koper | Slovenia | 14.5 m | 26 | 366 m, container | Luka Koper d.d. |
| Rijeka | Croatia | 15 m | 21 | 366 m, container | Lučka uprava Rijeka |

## How to compare them

1. Look at the depth first.
2. Then count the berths:
   - those for containers,
   - those for bulk.
3. At last, ask who runs it.

- [x] depths are from this year
- [ ] fees are missing

```python
def largest(ports: list[Port]) -> Port:
    \"\"\"The port with the deepest water.\"\"\"
    return max(ports, key=lambda port: port.depth)  # in metres, at low water, as the harbour master measured it in May
```

> A port is more than its quay.

---

### What is left

Nothing, for now.
"""


def says(*content: dict[str, object], **step: object) -> dict[str, object]:
    return {"description": "for a picture", "steps": [{"content": list(content), **step}]}


def text(words: str) -> dict[str, object]:
    return {"type": "text", "text": words}


def edits(path: str) -> dict[str, object]:
    old = "Trade fair in Graz, 14 May\n[ ] book the stand\n"
    new = "Trade fair in Graz, 14 May\n[x] book the stand: number 17\n"
    return {"type": "tool_use", "name": "Edit", "input": {"file_path": path, "old_string": old, "new_string": new}}


def reads(path: str) -> dict[str, object]:
    return {"type": "tool_use", "name": "Read", "input": {"file_path": path}}


@pytest.fixture
def look(browser: Browser) -> Callable[[str], None]:
    """Takes the pictures of a state, and has axe look at it, light and dark."""

    def look_at(state: str) -> None:
        browser.look_at(state)
        for scheme in ("light", "dark"):
            browser.look(width=390, height=844, scheme=scheme)
            assert browser.faults() == [], (state, scheme)
        browser.look(width=1280, height=800, scheme="light")

    return look_at


@pytest.fixture
def play(simulator: Simulator) -> Iterator[Callable[[dict[str, object]], None]]:
    yield lambda scenario: simulator.play(parse_scenario("look", scenario))
    simulator.play("hello")


@pytest.fixture
def chat(site: Site, browser: Browser) -> Browser:
    browser.open(f"http://127.0.0.1:{site.port}/")
    return browser


@pytest.fixture
def task(site: Site, browser: Browser) -> TaskPage:
    return TaskPage(site, browser, site.lasting_port)


def test_the_empty_pages_say_what_they_are_for_and_their_examples_can_be_taken_over(
    chat: Browser, site: Site, look: Callable[[str], None]
) -> None:
    look("empty")
    example = chat.script("return document.querySelector('.example').textContent")
    chat.script("document.querySelector('.example').click()")
    assert chat.script("return document.querySelector('textarea').value") == example
    assert chat.status == "idle"
    chat.open(f"http://127.0.0.1:{site.port}/task")
    look("empty-task")


def test_who_waits_is_told_so_and_after_some_seconds_for_how_long(
    chat: Browser, site: Site, look: Callable[[str], None]
) -> None:
    chat.say("Are you there? [[scenario:stall-before]]")
    until(lambda: "Thinking …" in chat.text, what=lambda: chat.told)
    look("waiting")
    until(lambda: "Still thinking …" in chat.text, what=lambda: chat.told)
    until(lambda: "Nothing has come for" in chat.text, what=lambda: chat.told)
    look("waiting-long")
    chat.press("Stop")
    until(lambda: not site.processes(), what=site.left)


def test_an_answer_is_followed_until_the_reader_scrolls_up_and_a_button_leads_back(
    chat: Browser, simulator: Simulator, look: Callable[[str], None]
) -> None:
    simulator.play(A_HUNDRED_WORDS)
    try:
        chat.say("Count.")
        chat.wait_for_changes(3)
        look("streaming")
        chat.look(width=390, height=420, scheme="light")
        chat.wait_for("done")
    finally:
        simulator.play("hello")
    assert chat.script(_IS_AT_END)
    chat.script("document.querySelector('.scroll').scrollTop = 0")
    until(lambda: chat.has_button("↓ Jump to the latest"), what=lambda: chat.told)
    chat.press("↓ Jump to the latest")
    until(lambda: chat.script(_IS_AT_END), what=lambda: chat.told)
    assert not chat.has_button("↓ Jump to the latest")


_IS_AT_END = (
    "const box = document.querySelector('.scroll'); return box.scrollHeight - box.scrollTop - box.clientHeight < 48"
)


def test_conversations_are_listed_beside_the_messages_and_on_a_phone_in_a_drawer(
    chat: Browser, look: Callable[[str], None]
) -> None:
    for prompt in ("How does a lighthouse work, and who keeps it now?", "Good morning", "/none"):
        chat.say(prompt)
        until(lambda: chat.status in ("done", "error"), what=lambda: chat.told)
        chat.press("New conversation")
    chat.say("Stay. [[scenario:stall-before]]")
    until(lambda: "Answering …" in chat.script(_LIST), what=lambda: chat.told)
    chat.script("document.querySelectorAll('.conversations .row')[2].click()")
    look("list")
    chat.look(width=390, height=844, scheme="light")
    chat.script("document.querySelector('.to-list').click()")
    assert chat.script("return document.activeElement.getAttribute('aria-current')") == "true"
    for scheme in ("light", "dark"):
        chat.look(width=390, height=844, scheme=scheme)
        chat.screenshot(PICTURES / f"state-list-open-390-{scheme}.png")
        assert chat.faults() == [], scheme
    chat.keys("\ue00c")
    assert chat.script("return document.activeElement.className") == "quiet to-list"
    assert not chat.script("return document.querySelector('.conversations').checkVisibility()")
    chat.look(width=1280, height=800, scheme="light")
    chat.script("document.querySelectorAll('.conversations .delete')[3].click()")
    until(lambda: chat.has_button("Undo"), what=lambda: chat.told)
    look("list-deleted")
    chat.press("Undo")
    assert chat.script("return document.querySelectorAll('.conversations li').length") == 4
    chat.script("document.querySelectorAll('.conversations .row')[0].click()")
    chat.press("Stop")


_LIST = "return document.querySelector('.conversations').textContent"


def test_markdown_fits_every_screen_and_a_wide_table_scrolls_in_its_own_box(
    chat: Browser, play: Callable[[dict[str, object]], None], look: Callable[[str], None]
) -> None:
    play(says(text(MARKDOWN)))
    chat.say("Compare the ports.")
    chat.wait_for("done")
    assert "|" not in chat.answer
    assert "Trieste" in chat.answer
    look("markdown")
    chat.script("document.querySelector('.scroll').scrollTop = 0")
    look("markdown-top")
    chat.look(width=390, height=844, scheme="light")
    box = "const box = document.querySelector('.table'); return box.scrollWidth > box.clientWidth"
    assert chat.script(box)


def test_tool_calls_are_lines_that_open(
    task: TaskPage, play: Callable[[dict[str, object]], None], look: Callable[[str], None]
) -> None:
    play(
        steps(
            reads("notes.txt"),
            reads("none.txt"),
            bash("touch built && exit 3"),
            text("It failed."),
        )
    )
    task.browser.say("Look, and build.")
    [question] = task.wait_for_questions()
    assert question["title"] == "May the agent run this command?"
    assert question["input"] == "touch built && exit 3"
    look("approval-command")
    task.decide("Allow")
    task.wait_for_end()
    lines = [" ".join(card["line"].split()) for card in task.browser.script(_LINES)]
    assert lines[0].startswith("Read notes.txt ·")
    assert lines[2].startswith("Ran touch built && exit 3 · failed ·")
    look("tools")
    task.browser.script("for (const card of document.querySelectorAll('.card details')) card.open = true")
    look("tools-open")


_LINES = """return [...document.querySelectorAll("[data-testid=tool]")].map((card) => ({
    line: [...card.querySelector("summary").children]
        .map((part) => (getComputedStyle(part, "::before").content === "none" ? "" : "· ") + part.textContent)
        .join(" ").replace("· done", ""),
}))"""


def test_a_change_is_a_diff_and_no_page_says_where_the_folder_is_on_the_server(
    task: TaskPage, site: Site, play: Callable[[dict[str, object]], None], look: Callable[[str], None]
) -> None:
    browser = task.browser
    browser.say("Make the folder.")
    browser.wait_for("done")
    path = str(task.folder / "notes.txt")
    play(steps(reads(path), edits(path), bash(f"touch {task.folder}/booked && pwd"), text("I did.")))
    browser.say("Book the stand.")
    [question] = task.wait_for_questions()
    assert question["title"] == "May the agent edit notes.txt?"
    rows = browser.script("return [...document.querySelectorAll('.question .change :is(.gone, .new)')].length")
    assert rows == 2
    look("approval-edit")
    task.decide("Allow")
    until(lambda: "touch" in str(task.questions), what=lambda: browser.told)
    assert task.questions[0]["input"] == "touch [folder]/booked && pwd"
    task.decide("Deny")
    task.wait_for_end()
    assert "number 17" in task.notes
    assert str(site.root) not in browser.script("return document.documentElement.outerHTML")


def test_a_question_is_a_form(
    task: TaskPage, play: Callable[[dict[str, object]], None], look: Callable[[str], None]
) -> None:
    play(steps(asks("Which partner builds the stand?", "Murtal Messebau", "Ennstal AG"), text("Then it is: ${result}")))
    task.browser.say("Ask me.")
    until(lambda: "The agent has a question" in task.browser.text, what=lambda: task.browser.told)
    look("question")
    task.browser.press("Stop")


@pytest.mark.parametrize(
    ("state", "scenario", "told"),
    [
        ("error", "overloaded-529", "usually free again"),
        ("refusal", "refusal", "declined to answer"),
        ("cut", "max-tokens", "greatest length"),
    ],
)
def test_an_answer_that_does_not_come_says_what_can_be_done(
    chat: Browser, look: Callable[[str], None], state: str, scenario: str, told: str
) -> None:
    chat.say(f"Please. [[scenario:{scenario}]]")
    chat.wait_for("done", "error")
    assert told in chat.text
    assert "(" + scenario not in chat.text
    assert "Done" not in chat.text
    look(state)


def test_what_was_stopped_can_be_gone_on_with(chat: Browser, look: Callable[[str], None]) -> None:
    chat.say("Speak slowly. [[scenario:slow]]")
    chat.wait_for_changes(3)
    chat.press("Stop")
    look("stopped-by-oneself")
    chat.press("Continue")
    chat.wait_for("streaming")
    assert chat.script("return [...document.querySelectorAll('.prompt')].at(-1).textContent") == "Continue."
    chat.press("Stop")


def test_a_browser_without_a_network_says_so(chat: Browser, look: Callable[[str], None]) -> None:
    chat.offline(True)
    try:
        until(lambda: "You are offline." in chat.text, what=lambda: chat.told)
        look("offline")
    finally:
        chat.offline(False)
    until(lambda: "You are offline." not in chat.text, what=lambda: chat.told)


def test_a_busy_server_says_when_to_try_again(site: Site, chat: Browser, look: Callable[[str], None]) -> None:
    chat.open(f"http://127.0.0.1:{site.full_port}/")
    visitors = [Visitor(site.full_port), Visitor(site.full_port)]
    with visitors[0].ask("Wait. [[scenario:slow]]") as one, visitors[1].ask("Wait. [[scenario:slow]]") as other:
        assert all(stream.wait_for("delta") for stream in (one, other))
        chat.say("Me too. [[scenario:hello]]")
        chat.wait_for("error")
        look("server-busy")
    until(lambda: not site.processes(), what=site.left)
    for visitor in visitors:
        visitor.http.close()


TAB, ENTER, SPACE, SHIFT = "\ue004", "\ue007", "\ue00d", "\ue008"


def test_the_keyboard_alone_takes_an_example_sends_it_allows_a_call_opens_it_and_copies_the_answer(
    task: TaskPage, play: Callable[[dict[str, object]], None]
) -> None:
    browser = task.browser
    play(steps(bash("touch built"), text("It is built.")))

    def tab_to(name: str) -> None:
        focus = "const it = document.activeElement; return it.getAttribute('aria-label') ?? it.innerText"
        for _ in range(30):
            if browser.script(focus).startswith(name):
                return
            browser.keys(TAB)
        raise AssertionError(f"no Tab leads to {name}: {browser.text}")

    browser.script("document.body.focus()")
    tab_to("Read notes.txt, and do")
    browser.keys(ENTER)
    tab_to("Message")
    browser.keys(ENTER)
    task.wait_for_questions()
    tab_to("Allow")
    browser.keys(ENTER)
    task.wait_for_end()
    assert browser.status == "done"
    assert (task.folder / "built").exists()
    browser.script("document.querySelector('.scroll').focus()")
    tab_to("Ran")
    browser.keys(ENTER)
    assert browser.script("return document.querySelector('.card details').open")
    tab_to("Copy: Answer")
    browser.keys(SPACE)
    until(lambda: "Copied" in browser.text or "Could not copy" in browser.text, what=lambda: browser.told)


def test_a_megabyte_at_once_comes_into_the_page_in_pieces_between_which_it_does_other_things(chat: Browser) -> None:
    chat.script(_WATCH_PIECES)
    chat.say("Much. [[scenario:huge-delta]]")
    chat.wait_for("done")
    until(lambda: chat.script(_SHOWN) > 500_000, what=lambda: chat.script(_SHOWN))
    most, longest = chat.script("return window.most"), chat.script(_LONGEST_PARAGRAPH)
    assert 0 < most < 25_000, most
    assert longest < 25_000


_SHOWN = "return document.querySelector('article').textContent.length"
# The most characters that came between two turns of a timer: for as long as they take, the page does nothing else.
_WATCH_PIECES = """
    window.most = 0;
    let added = 0;
    const length = (nodes) => [...nodes].reduce((sum, node) => sum + node.textContent.length, 0);
    new MutationObserver((changes) => {
      if (added === 0) setTimeout(() => { added = 0; });
      for (const {target, addedNodes} of changes) added += target.data?.length ?? length(addedNodes);
      window.most = Math.max(window.most, added);
    }).observe(document.body, {childList: true, characterData: true, subtree: true});
"""
# A paragraph that grows is laid out from its beginning.
_LONGEST_PARAGRAPH = "return Math.max(...[...document.querySelectorAll('p')].map((each) => each.textContent.length))"
