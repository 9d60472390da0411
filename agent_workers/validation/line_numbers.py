"""On which line of a JSON document a value stands."""

from __future__ import annotations

import json
import re

from agent_workers.protocol.v1.problem import pointer

_LEXEME = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:\n]|[^\s{}\[\],:"]+')


class LineNumbers:
    """The lines of the values in a well-formed JSON document; a field's line is that of its name."""

    def __init__(self, text: str) -> None:
        self._lines: dict[str, int] = {}
        self._path: list[str | int] = []
        self._expects_name = False
        line = 1
        for lexeme in _LEXEME.findall(text):
            if lexeme == "\n":
                line += 1
            else:
                self._take(lexeme, line)

    def line_of(self, place: str) -> int:
        """Returns the line of the value at a JSON pointer, or of the object that lacks it."""
        while place and place not in self._lines:
            place = place.rpartition("/")[0]
        return self._lines.get(place, 1)

    def _take(self, lexeme: str, line: int) -> None:
        if lexeme in "}]":
            self._path.pop()
            self._expects_name = False
        elif lexeme == ",":
            last = self._path[-1]
            self._expects_name = isinstance(last, str)
            if isinstance(last, int):
                self._path[-1] = last + 1
        elif lexeme != ":":
            self._value(lexeme, line)

    def _value(self, lexeme: str, line: int) -> None:
        if self._expects_name and lexeme != "}":
            self._path[-1] = json.loads(lexeme)
        self._lines.setdefault(pointer(self._path), line)
        if lexeme in "{[":
            self._path.append("" if lexeme == "{" else 0)
        self._expects_name = lexeme == "{"
