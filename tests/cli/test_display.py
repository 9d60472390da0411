"""The redrawn form, without a process: whatever comes, and however often it is painted."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_workers.cli.harmless import harmless
from agent_workers.cli.terminal.display import Display
from agent_workers.cli.terminal.plain import Plain
from agent_workers.cli.terminal.screen import Line, Screen

from .bodies import delta, discard, done, notice, thinking
from .terminal import Terminal

FRAGMENTS = [
    *(
        "word ",
        "para\n",
        "\n\n",
        "# head\n",
        "- item\n",
        "  - nested\n",
        "1. one\n",
        "> quote\n",
        "---\n",
        "\t",
        "    ",
    ),
    *(
        "```py\n",
        "x = 1\n",
        "```\n",
        "a | b\n",
        "--|--\n",
        "1 | 2\n",
        "**bold** ",
        "`code` ",
        "[ref]: http://a.b\n",
        "[ref] ",
    ),
    *("[l](http://x.y) ", "![i](http://x/y.png) ", "<b>tag</b> ", "&#27;[2J ", "\x1b[2J", "\r", "&#13;"),
    *("#", "-", "=", "***", "|", "~~", "```"),
]
TEXTS = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=4).map("".join)
BLOCKS = st.integers(1, 3)
EVENTS = st.lists(
    st.one_of(
        st.builds(delta, TEXTS, BLOCKS),
        st.builds(delta, TEXTS, BLOCKS),
        st.builds(thinking, TEXTS, BLOCKS.map(lambda block: block + 10)),
        st.builds(notice, TEXTS),
        st.builds(discard, BLOCKS),
    ),
    max_size=25,
)


def shown(events: list[dict[str, Any]], *, every: int, columns: int = 50, rows: int = 24) -> str:
    """What stands on a terminal after these events, painted after every so many pieces of text."""
    display = Display(lambda: (columns, rows))
    terminal = Terminal(columns * 2, rows)  # the renderer counts two cells where this terminal may need one
    for index, event in enumerate(events):
        output = display.feed(event)
        if event["type"] not in ("delta", "thinking") or index % every == 0:
            output += display.paint()
        terminal.feed(output.encode())
    return terminal.feed(display.feed(done()).encode()).text


@pytest.fixture(autouse=True, scope="module")
def colors() -> Any:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("TERM", "xterm-256color")
        yield


@settings(max_examples=60, deadline=None)
@given(EVENTS)
def test_what_stands_there_in_the_end_does_not_depend_on_how_often_it_was_painted(events: list[dict[str, Any]]) -> None:
    assert shown(events, every=1, rows=500) == shown(events, every=3, rows=500) == shown(events, every=10**6, rows=500)


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.integers(1, 12), st.integers(5, 60))
def test_a_small_terminal_is_never_asked_for_what_it_cannot_do(
    events: list[dict[str, Any]], rows: int, columns: int
) -> None:
    shown(events, every=1, rows=rows, columns=columns)


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, max_size=10))
def test_in_a_pipe_the_deltas_are_all_there_is_between_the_lines(texts: list[str]) -> None:
    form = Plain()
    output = "".join(form.feed(delta(text)) for text in texts)
    assert output == harmless("".join(texts))


@given(st.text(st.characters()))
def test_harmless_text_has_no_control_characters(text: str) -> None:
    cleaned = harmless(text)
    assert cleaned.isprintable() or not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in cleaned if c not in "\n\t")
    assert harmless(cleaned) == cleaned
    cleaned.encode()


@pytest.mark.parametrize("text", ["Grüße", "日本語", "👩‍👩‍👧", "עברית", "a\tb\nc", "e\u0301"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_a_terminal_that_became_narrower_is_still_cleared() -> None:
    size = (20, 10)
    screen = Screen(lambda: size)
    screen.show([Line("x" * 20, 20), Line("y" * 5, 5)])
    screen.take()
    size = (10, 10)  # the first line now takes two rows
    screen.show([])
    assert screen.take().startswith("\r\x1b[3A\x1b[J")
