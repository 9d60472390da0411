"""A terminal of a few rows that understands what a redrawn answer needs, and no more."""

import codecs
import re
import unicodedata

_SEQUENCE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b")
_UNFINISHED = re.compile(r"\x1b(\[[0-9;?]*)?$")


class Terminal:
    """What a person sees after all these bytes: `scrolled` above, `screen` below. An unknown sequence is an error."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.scrolled: list[str] = []
        self._grid: list[list[str]] = [[]]
        self._row = self._column = 0
        self.styles: set[str] = set()
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._rest = ""

    @property
    def text(self) -> str:
        return "\n".join([*self.scrolled, *("".join(row).rstrip() for row in self._grid)])

    def feed(self, output: bytes) -> "Terminal":
        """Shows more output, cut anywhere."""
        text = self._rest + self._decode(output)
        unfinished = _UNFINISHED.search(text)
        self._rest = unfinished[0] if unfinished else ""
        self._show(text.removesuffix(self._rest))
        return self

    def _show(self, output: str) -> None:
        at = 0
        for found in _SEQUENCE.finditer(output):
            self._write(output[at : found.start()])
            assert found[2], f"an escape that is no sequence: {output[found.start() : found.start() + 20]!r}"
            self._obey(found[1], found[2])
            at = found.end()
        self._write(output[at:])

    def _obey(self, argument: str, command: str) -> None:
        if command == "A":
            assert int(argument) <= self._row, "moved above the screen"
            self._row -= int(argument)
        elif command == "J":
            assert argument == ""
            del self._grid[self._row + 1 :]
            del self._grid[self._row][self._column :]
        else:
            assert command == "m", f"unknown sequence {argument}{command}"
            self.styles.update(argument.split(";"))

    def _write(self, text: str) -> None:
        for character in text:
            if character == "\n":
                self._next_row()
            elif character == "\r":
                self._column = 0
            elif character == "\b":
                self._column = max(0, self._column - 1)
            else:
                assert unicodedata.category(character) != "Cc", f"control character {character!r}"
                self._put(character)

    def _put(self, character: str) -> None:
        if self._column == self.columns:
            self._next_row()
            self._column = 0
        row = self._grid[self._row]
        row += " " * (self._column + 1 - len(row))
        row[self._column] = character
        self._column += 1

    def _next_row(self) -> None:
        self._row += 1
        self._column = 0
        if self._row == len(self._grid):
            self._grid.append([])
        if len(self._grid) > self.rows:
            self.scrolled.append("".join(self._grid.pop(0)).rstrip())
            self._row -= 1
