"""What a tool prints, as the lines that a terminal would show in the end: with their colors, and without all else.

Carriage returns, backspaces and the erasing of a line count, as progress bars use them. Of the other sequences only
those for colors and weights have an effect.
"""

from __future__ import annotations

import re
from collections import deque
from functools import cache
from typing import TYPE_CHECKING

from rich.ansi import SGR_STYLE_MAP
from rich.color import Color
from rich.style import Style
from rich.text import Text

from agent_workers.cli.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(
    r"\x1b\[(?P<parameters>[0-?]*)[ -/]*(?P<command>[@-~])"
    r"|\x1b[\]PX^_][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)"  # titles, links, the clipboard
    r"|\x1b[ -/]*[0-Z\\^-~]?"
    r"|(?P<control>[\r\n\b])"
    r"|(?P<text>[^\x1b\r\n\b]+)",
    re.DOTALL,
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)$")
_LONGEST_SEQUENCE = 4096
_WIDEST = 1000
_WEIGHTS = frozenset({1, 2, 3, 4, 7, 9, 22, 23, 24, 27, 29})
_COLORS = frozenset({39, 49, *range(30, 38), *range(40, 48), *range(90, 98), *range(100, 108)})
_PALETTE, _RGB = 5, 2  # what follows 38 and 48

Cell = tuple[str, Style]


class PrintedLines:
    """The lines of one call.

    Args:
        most: Finished lines that are kept; of more, the last.

    Attributes:
        count: Lines that were finished.
    """

    def __init__(self, most: int) -> None:
        self.count = 0
        self._finished: deque[list[Cell]] = deque(maxlen=most)
        self._row: list[Cell] = []
        self._column = 0
        self._style = Style.null()
        self._rest = ""

    def feed(self, printed: str) -> None:
        """Takes the next piece; it may end within a sequence."""
        printed = self._rest + printed
        unfinished = _UNFINISHED.search(printed, max(0, len(printed) - _LONGEST_SEQUENCE))
        self._rest = unfinished[0] if unfinished else ""
        for token in _TOKEN.finditer(printed.removesuffix(self._rest)):
            if token["text"]:
                self._write(harmless(token["text"].expandtabs()))
            elif token["control"]:
                self._move(token["control"])
            elif token["command"] == "m":
                self._style = _styled(self._style, token["parameters"])
            elif token["command"] == "K":
                self._erase(token["parameters"])

    @property
    def unfinished(self) -> Text | None:
        """The line that goes on; None where it is empty."""
        return _line(self._row) if self._row else None

    def lines(self) -> list[Text]:
        """Returns the finished lines that are kept, and the one that goes on."""
        return [_line(row) for row in (*self._finished, *([self._row] if self._row else []))]

    def take(self) -> list[Text]:
        """Returns the finished lines and forgets them."""
        taken = [_line(row) for row in self._finished]
        self._finished.clear()
        return taken

    def _write(self, text: str) -> None:
        text = text[: _WIDEST - self._column]
        self._row += [(" ", Style.null())] * (self._column - len(self._row))
        self._row[self._column : self._column + len(text)] = [(character, self._style) for character in text]
        self._column += len(text)

    def _move(self, control: str) -> None:
        if control == "\r":
            self._column = 0
        elif control == "\b":
            self._column = max(0, self._column - 1)
        else:
            self._finished.append(self._row)
            self.count += 1
            self._row, self._column = [], 0

    def _erase(self, parameter: str) -> None:
        if parameter in ("", "0"):
            del self._row[self._column :]
        elif parameter == "2":
            self._row = []


def _line(row: list[Cell]) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    start = 0
    for end in range(1, len(row) + 1):
        if end == len(row) or row[end][1] != row[start][1]:
            text.append("".join(character for character, _ in row[start:end]), row[start][1])
            start = end
    return text


def _styled(style: Style, parameters: str) -> Style:
    """Returns the style after a sequence: what is unknown, or hides text, changes nothing."""
    codes = iter(int(code) if code.isdigit() else 0 for code in parameters[:100].split(";"))
    for code in codes:
        if code == 0:
            style = Style.null()
        elif code in (38, 48):
            color = _color(codes)
            style += Style(color=color) if code == 38 else Style(bgcolor=color)  # noqa: PLR2004
        elif code in _WEIGHTS or code in _COLORS:
            style += _known(code)
    return style


@cache
def _known(code: int) -> Style:
    return Style.parse(SGR_STYLE_MAP[code])


def _color(codes: Iterator[int]) -> Color | None:
    kind = next(codes, None)
    if kind == _PALETTE:
        return Color.from_ansi(min(next(codes, 0), 255))
    if kind == _RGB:
        return Color.from_rgb(*(min(next(codes, 0), 255) for _ in range(3)))
    return None
