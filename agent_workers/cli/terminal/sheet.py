"""All of what a tool would be called with, for somebody who has to decide on it: nothing is hidden or prettified."""

from __future__ import annotations

import json
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.cells import chop_cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CONTEXT = 2  # lines that stay the same, before and after those of an edit


class Row(NamedTuple):
    """A line of the sheet and how it looks."""

    text: str
    style: str = ""


def sheet(name: str, tool_input: dict[str, Any], *, columns: int, most: int) -> list[Row]:
    """Returns a call's input, folded to so many columns.

    Args:
        name: Of the tool.
        tool_input: What the model wrote.
        columns: How wide a row may be.
        most: Rows; of a longer sheet the middle is left out, and a row says so.
    """
    rows = list(_folded(_lines(name, tool_input), columns))
    if len(rows) <= most:
        return rows
    before = most // 2
    after = most - before - 1
    left_out = Row(f"⋯ {len(rows) - before - after} lines are not shown ⋯"[:columns], "yellow")
    return [*rows[:before], left_out, *rows[-after:]]


def exact(text: str) -> str:
    """Returns the text with each character that is invisible or misleading, such as a joiner, replaced by its number.

    Even harmless characters count here: what looks like one command must not be another.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else f"<U+{ord(each):04X}>" for each in text)


def _lines(name: str, tool_input: dict[str, Any]) -> Iterator[Row]:
    rest: dict[str, Any] = {}
    match name, tool_input:
        case "Bash", {"command": str(command), **rest}:
            yield from _rows(command, "bold")
        case "Write", {"file_path": str(path), "content": str(content), **rest}:
            yield Row(path, "bold")
            yield from _rows(content, "green", "+ ")
        case "Edit", {"file_path": str(path), "old_string": str(old), "new_string": str(new), **rest}:
            yield Row(path, "bold")
            yield from _difference(old.split("\n"), new.split("\n"))
        case _:
            yield from _rows(json.dumps(tool_input, indent=2, ensure_ascii=False))
    for field, value in rest.items():
        yield Row(f"{field}: {json.dumps(value, ensure_ascii=False)}", "dim")


def _rows(text: str, style: str = "", mark: str = "") -> Iterator[Row]:
    return (Row(mark + line, style) for line in text.split("\n"))


def _difference(old: list[str], new: list[str]) -> Iterator[Row]:
    """Returns what an edit removes and what it inserts, with the unchanged lines around it."""
    same_before = _same(old, new)
    same_after = _same(old[same_before:][::-1], new[same_before:][::-1])
    until_old, until_new = len(old) - same_after, len(new) - same_after
    yield from (Row(f"  {line}") for line in old[max(0, same_before - _CONTEXT) : same_before])
    yield from (Row(f"- {line}", "red") for line in old[same_before:until_old])
    yield from (Row(f"+ {line}", "green") for line in new[same_before:until_new])
    yield from (Row(f"  {line}") for line in old[until_old : until_old + _CONTEXT])


def _same(some: list[str], others: list[str]) -> int:
    """Returns with how many equal lines both begin."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(some, others, strict=False)))


def _folded(lines: Iterable[Row], columns: int) -> Iterator[Row]:
    for line, style in lines:
        shown = exact(line.expandtabs())
        yield from (Row(part, style) for part in chop_cells(shown, columns) or [""])
