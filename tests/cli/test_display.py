"""The redrawn form, without a process: whatever comes, and however often it is painted."""

import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent_workers.cli.harmless import harmless
from agent_workers.cli.terminal.display import Display
from agent_workers.cli.terminal.painter import Painter
from agent_workers.cli.terminal.plain import Plain
from agent_workers.cli.terminal.question import PROMPT, Choice, draw, read_choice
from agent_workers.cli.terminal.screen import Line, Screen
from agent_workers.cli.terminal.sheet import exact
from agent_workers.protocol.v1.events import PermissionRequest
from tests.cli.bodies import START, delta, discard, done, notice, thinking
from tests.cli.terminal import Terminal

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
@example([delta("para\na | b\n", 1), delta("--|--\n", 2), discard(2)])
@example([delta("para\na | b\n", 1), delta("--|--\n1 | 2\n\n", 2), delta("word", 3), discard(2)])
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


TOOLS = st.sampled_from(["Bash", "Write", "Edit", "Read", "mcp__a__b", "Allow it? [y/n/a] \x1b[2J"])
WORDS = st.one_of(
    st.text(st.characters()), st.lists(st.sampled_from([*FRAGMENTS, PROMPT, "\u202e", "\x9b31m"])).map("".join)
)
INPUTS = st.dictionaries(
    st.one_of(st.sampled_from(["command", "file_path", "content", "old_string", "new_string"]), WORDS),
    st.one_of(WORDS, st.integers(), st.booleans(), st.none()),
    max_size=5,
)


@settings(max_examples=200, deadline=None)
@given(TOOLS, INPUTS, st.one_of(st.none(), WORDS), st.integers(20, 100), st.integers(5, 60))
def test_a_question_holds_nothing_of_others_but_behind_a_bar(
    name: str, tool_input: dict[str, Any], reason: str | None, columns: int, rows: int
) -> None:
    question = PermissionRequest(
        permission_id="1", tool_use_id="2", name=name, input=tool_input, reason=reason, expires_at="-"
    )
    drawn = draw(question, Painter(), left_s=90, columns=columns, rows=rows)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", drawn)
    assert all(character.isprintable() for character in plain.replace("\n", ""))
    ours = plain.replace(exact(name), "").split("\n")
    foreign = [line for line in ours if line.startswith(("│ ", "├ "))]
    without = draw(
        question.model_copy(update={"input": {}, "reason": None}), Painter(), left_s=90, columns=columns, rows=rows
    )
    assert len(ours) - len(foreign) == without.count("\n") - without.count("│ ") + 1
    assert len(foreign) <= max(8, rows - 9) + 300 // (columns - 2) + 1


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("y\n", Choice(allowed=True)),
        (" YES \n", Choice(allowed=True)),
        ("a\n", Choice(allowed=True, always=True)),
        ("always\n", Choice(allowed=True, always=True)),
        ("n\n", Choice(allowed=False)),
        ("No\n", Choice(allowed=False)),
        ("n  use   staging\n", Choice(allowed=False, message="use staging")),
        ("n y\x1b[D\n", Choice(allowed=False, message="y[D")),
        *(
            (unclear, None)
            for unclear in ("\n", "", "yes please\n", "ny\n", "a b\n", "y\x1b[D\n", "\x00y\n", "\uff59\n")
        ),
    ],
)
def test_only_a_clear_answer_is_one(typed: str, answer: Choice | None) -> None:
    assert read_choice(typed) == answer


def test_what_is_written_below_by_others_is_left_alone() -> None:
    display = Display(lambda: (40, 20))
    terminal = Terminal(40, 20)
    terminal.feed(display.feed(delta("Wrong ")).encode()).feed(display.paint().encode())
    terminal.feed(display.feed(delta("words.")).encode()).feed(display.make_room().encode())
    terminal.feed(b"A question\r\n")
    terminal.feed(display.feed(discard(1)).encode()).feed(display.paint().encode())
    terminal.feed(display.feed(delta("Right.", 2)).encode()).feed(display.paint().encode())
    told = ["Wrong words.", "A question", "superseded", "Right."]
    assert [terminal.text.count(words) for words in told] == [1, 1, 1, 1]
    assert sorted(told, key=terminal.text.index) == told


def test_what_a_later_attempt_discards_is_nothing_of_the_lost_one() -> None:
    terminal, display = Terminal(80, 24), Display(lambda: (80, 24))
    again = {**START, "attempt": 2}
    for event in (START, delta("Lost", 1), again, delta("Wrong", 1), discard(1), delta("Right", 1), done("Right")):
        terminal.feed((display.feed(event) + display.paint()).encode())
    shown = [line for line in terminal.text.splitlines() if line]
    assert shown[:3] == ["Lost", "↻ the run begins again (attempt 2): what stands above no longer counts", "Right"]
