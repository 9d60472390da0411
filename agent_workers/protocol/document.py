"""Bytes to one JSON document, or a sentence that says why not. Stricter than Python's own reader."""

import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import NoReturn

from agent_workers.protocol.v1.problem import Problem, RequestProblems, capped, pointer, refuse
from agent_workers.protocol.value import MAX_DEPTH, Json, copy_well_formed, well_formed

Path = tuple[str | int, ...]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Any whole number of so many digits fits a double, and Python's own limit on digits is never met.
_MAX_DIGITS = 308
_MAX_SHOWN = 40
MAX_VALUES = 100_000
"""Most values in one document. In memory a value takes a hundred times its bytes, and a kilobyte if it is wrong."""
# A string, or what begins a value; a string that does not end goes to the end.
_TOKEN = re.compile(rb'"(?>[^"\\]++|\\.)*+(?:"|\Z)|[,\[{\]}]', re.DOTALL)
_TOO_DEEP = f"the JSON is nested deeper than {MAX_DEPTH} levels"
_EMPTY = "the input is empty; send a request, which is one JSON object: --help has examples"

# Keys: how the messages of Python's reader begin, in all supported versions.
_REASONS = {
    "Expecting property name": "a field name in double quotes is missing; JSON allows no comma after the last field",
    "Expecting value": "a value is missing, or is not JSON; text stands in double quotes",
    "Expecting ',' delimiter": "a comma or a closing bracket is missing",
    "Expecting ':' delimiter": "a colon is missing after the field name",
    "Illegal trailing comma": "JSON allows no comma after the last field or value",
    "Invalid control character": "a string contains a line break or another control character; write it as \\n or \\u…",
    "Invalid \\escape": "a string contains an unknown escape; write a backslash as \\\\",
    "Invalid \\uXXXX": "\\u needs four hexadecimal digits",
    "Unterminated string": "the string that begins here has no closing quote",
}


class _Duplicate:
    """Stands for a value whose name came twice, so that its place can be found again."""


def parse_json(data: bytes, *, one_line: bool = False) -> Json:
    """Decodes exactly one JSON document in UTF-8, on one line or many, with or without a byte order mark.

    Lone surrogates in strings and names become U+FFFD. Besides invalid JSON it refuses NaN and Infinity, numbers
    beyond a double, a name twice in one object, nesting deeper than ``MAX_DEPTH`` and more than ``MAX_VALUES`` values.

    Args:
        data: The document.
        one_line: Whether it is one line of a stream. Whoever counts the stream's lines needs the column alone.

    Raises:
        RequestProblems: With the place as line and column (or byte offset) in the message, or as pointer.
    """
    try:
        text = data.removeprefix(_BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        offset = error.start + (len(_BYTE_ORDER_MARK) if data.startswith(_BYTE_ORDER_MARK) else 0)
        refuse(f"the input is not UTF-8: byte 0x{data[offset]:02x} at offset {offset}")
    if not text.strip():
        refuse("the line is empty" if one_line else _EMPTY)
    _measure(data)
    return _decode(text, one_line)


def _measure(data: bytes) -> None:
    """Refuses what would cost too much to decode."""
    if sum(map(data.count, (b",", b"[", b"{"))) <= MAX_VALUES:  # at least as many as there are values, and quick
        return
    values = depth = 0
    for token in _TOKEN.finditer(data):
        if token.end() > token.start() + 1:
            continue  # a string
        closes = token[0] in b"]}"
        values += not closes
        depth += -1 if closes else token[0] != b","
        if depth > MAX_DEPTH:
            refuse(_TOO_DEEP)
        if values > MAX_VALUES:
            refuse(f"the JSON has more than {MAX_VALUES} values")


def _decode(text: str, one_line: bool) -> Json:
    duplicates: list[_Duplicate] = []

    def unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        fields: dict[str, Json] = {}
        for name, value in ((well_formed(name), value) for name, value in pairs):
            if name in fields:
                duplicates.append(_Duplicate())
            fields[name] = duplicates[-1] if name in fields else value
        return fields

    try:
        value = json.loads(text, object_pairs_hook=unique, parse_int=_int, parse_float=_float, parse_constant=_constant)
        value = copy_well_formed(value)
    except json.JSONDecodeError as error:
        refuse(_reason(error, one_line))
    except RecursionError:
        refuse(_TOO_DEEP)
    if duplicates:
        raise RequestProblems(capped(list(_repeated(value)), _stands_twice))
    return value


def _reason(error: json.JSONDecodeError, one_line: bool) -> str:
    place = f"column {error.colno}" if one_line else f"line {error.lineno}, column {error.colno}"
    if error.msg == "Extra data":
        return f"only one JSON document is allowed, but more follows at {place}"
    reason = next((words for begins, words in _REASONS.items() if error.msg.startswith(begins)), error.msg.lower())
    return f"not valid JSON at {place}: {reason}"


def _int(text: str) -> int:
    if len(text.lstrip("-")) > _MAX_DIGITS:
        refuse(f"a number has {len(text.lstrip('-'))} digits; at most {_MAX_DIGITS} are allowed")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        refuse(f"the number {text[:_MAX_SHOWN]} is too large: it must fit a 64-bit floating-point number")
    return value


def _constant(name: str) -> NoReturn:
    refuse(f"{name} is not valid JSON: send a number, or leave the field out")


def _repeated(value: Json, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, _Duplicate):
        yield path
    children: Iterable[tuple[str | int, Json]] = ()
    if isinstance(value, (dict, list)):
        children = value.items() if isinstance(value, dict) else enumerate(value)
    for step, item in children:
        yield from _repeated(item, (*path, step))


def _stands_twice(path: Path) -> Problem:
    return Problem(pointer=pointer(path), message="appears more than once in its object; keep one of them")
