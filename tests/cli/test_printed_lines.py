"""What a tool prints, on a terminal and in a pipe: the last state of each line, and colors at most."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_workers.cli.terminal.display import Display
from agent_workers.cli.terminal.plain import Plain
from agent_workers.cli.terminal.printed_lines import PrintedLines
from tests.cli.bodies import ABORTED, SESSION, START, done, notice, tool_call, tool_result
from tests.cli.terminal import Terminal

FAILED = {**tool_result("Exit code 3\nboom"), "status": "error"}


def output(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "tool_output", "tool_use_id": "toolu_1", "stream": "stdout", "text": text, **fields}


def lines_of(text: str) -> list[str]:
    lines = PrintedLines(100)
    lines.feed(text)
    return [line.plain for line in lines.lines()]


@pytest.mark.parametrize(
    ("printed", "lines"),
    [
        ("one\ntwo", ["one", "two"]),
        ("10%\r50%\r100%\n", ["100%"]),
        ("long line\rshort", ["shortline"]),
        ("long line\rshort\x1b[K\n", ["short"]),
        ("long line\x1b[2K\rnew", ["new"]),
        ("\r\n\r\nend\r\n", ["", "", "end"]),
        ("ab\b\bcd", ["cd"]),
        ("\x1b[31mred\x1b[0m \x1b[38;5;208mmore\x1b[m", ["red more"]),
        ("a\x1b[2Jb\x1b[10Ac\x1b[sd\x1b7e\x1b(Bf", ["abcdef"]),
        ("a\x1b]0;title\x07b\x1b]8;;http://x\x1b\\link\x1b]52;c;aGk=\x07", ["ablink"]),
        ("a\x1bPq#0\x1b\\b\x1b_x\x1b\\c", ["abc"]),
        ("bell\x07 nul\0 c1\x9b31m", ["bell\u2407 nul\u2400 c1\ufffd31m"]),
    ],
)
def test_a_line_shows_its_last_state(printed: str, lines: list[str]) -> None:
    assert lines_of(printed) == lines


PRINTED = st.lists(
    st.sampled_from(
        [
            "word",
            "\r",
            "\n",
            "\b",
            "\x1b[1;31m",
            "\x1b[0m",
            "\x1b[K",
            "\x1b[2K",
            "\x1b]0;t\x07",
            "\x1b[5A",
            "\x1b[?25l",
            "日本",
        ]
    ),
    max_size=20,
).map("".join)


@settings(max_examples=100, deadline=None)
@given(PRINTED, st.integers(1, 5))
def test_the_lines_do_not_depend_on_where_the_pieces_end(printed: str, size: int) -> None:
    lines = PrintedLines(100)
    for start in range(0, len(printed), size):
        lines.feed(printed[start : start + size])
    assert [line.markup for line in lines.lines()] == [line.markup for line in _at_once(printed)]


def _at_once(printed: str) -> Any:
    lines = PrintedLines(100)
    lines.feed(printed)
    return lines.lines()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.characters()) | PRINTED, max_size=8), st.integers(2, 12), st.integers(5, 60))
def test_nothing_that_a_tool_prints_harms_a_terminal(texts: list[str], rows: int, columns: int) -> None:
    display, terminal = Display(lambda: (columns, rows)), Terminal(columns * 2, rows)
    events = [START, SESSION, tool_call(), *map(output, texts), notice("x"), *map(output, texts), tool_result(), done()]
    for event in events:
        terminal.feed(display.feed(event).encode("utf-8", "replace")).feed(display.paint().encode("utf-8", "replace"))
    plain = Plain()
    assert "\x1b" not in "".join(plain.feed(event) for event in events)


@pytest.fixture
def colors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")


def test_a_terminal_shows_the_last_lines_below_their_call_while_it_runs(colors: None) -> None:
    display, terminal = Display(lambda: (60, 40)), Terminal(60, 40)

    def show(*events: dict[str, Any]) -> list[str]:
        for event in events:
            terminal.feed(display.feed(event).encode()).feed(display.paint().encode())
        return terminal.text.splitlines()

    numbers = "".join(f"line {number}\n" for number in range(1, 31))
    running = show(START, SESSION, tool_call(), output(numbers), output("\x1b[32m10%\r20%"), notice("beside"))
    assert running[2:4] == ["→ Bash date", "! beside (something)"]
    assert running[4:] == [*(f"  │ line {number}" for number in range(22, 31)), "  │ 20%"]
    assert "32" in terminal.styles
    ended = show(output("", truncated_bytes=77), FAILED)
    assert ended[4] == "  ⋯ 11 lines above are not shown"
    assert ended[5:24] == [f"  │ line {number}" for number in range(12, 31)]
    assert ended[24:] == ["  │ 20%", "  ⋯ 77 more bytes were left out", "← Bash error Exit code 3"]


def test_what_was_printed_stays_when_the_run_is_stopped(colors: None) -> None:
    display, terminal = Display(lambda: (60, 40)), Terminal(60, 40)
    for event in (START, tool_call(), output("half a line"), ABORTED):
        terminal.feed(display.feed(event).encode())
    assert "  │ half a line\n" in terminal.text
    plain = Plain()
    assert "  │ half a line\n" in "".join(map(plain.feed, (START, tool_call(), output("half a line"), ABORTED)))


def test_a_pipe_gets_each_line_once_and_not_too_many() -> None:
    plain = Plain()
    first = plain.feed(tool_call()) + plain.feed(output("10%\r20%")) + plain.feed(output("\r30%\nnext\n"))
    assert first == "→ Bash date\n  │ 30%\n  │ next\n"
    many = plain.feed(output("x\n" * 500 + "end"))
    assert many.count("│ x\n") == 198
    assert plain.feed(tool_result()) == "  ⋯ 302 lines are not shown\n  │ end\n← Bash ok \n"
    assert re.search("│", plain.feed(done())) is None
