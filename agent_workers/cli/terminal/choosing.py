"""How a question of the agent to the user looks, and what an answer to it means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import chop_cells
from rich.text import Text

from agent_workers.cli.terminal.question import time_left, without_controls
from agent_workers.cli.terminal.sheet import exact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.cli.terminal.painter import Painter
    from agent_workers.protocol.v1.events import QuestionItem

PROMPT = "Your answer: "

# Whatever a question holds, its rows begin with the bar: a line of it cannot pass for one of ours.
_BAR = "│ "
_NUMBERS = re.compile(r"\d+(?:[\s,]+\d+)*,?")
_QUOTED = re.compile(r"([\"'])(.*)\1", re.DOTALL)


class NoAnswer(ValueError):
    """Raised when what was typed answers nothing. The message says what to type instead."""


def read_answer(typed: str, item: QuestionItem) -> str | list[str]:
    """Reads a typed line as the answer to a question: numbers of options, or a text.

    Raises:
        NoAnswer: It is neither.
    """
    text = without_controls(typed.strip()).strip()
    if _NUMBERS.fullmatch(text):
        return _chosen([int(number) for number in re.findall(r"\d+", text)], item)
    if quoted := _QUOTED.fullmatch(text):
        text = quoted[2].strip()
    if not text:
        raise NoAnswer("Please type a number of the list or an answer of your own, then Enter.")
    return text


def _chosen(numbers: list[int], item: QuestionItem) -> str | list[str]:
    unknown = next((number for number in numbers if not 1 <= number <= len(item.options)), None)
    if unknown is not None:
        raise NoAnswer(f'The list has no {unknown}. Type "{unknown}" in quotes if that is your answer.')
    labels = list(dict.fromkeys(item.options[number - 1].label for number in numbers))
    if item.multi:
        return labels
    if len(labels) > 1:
        raise NoAnswer("Please choose one of the list.")
    return labels[0]


def draw(item: QuestionItem, painter: Painter, *, left_s: float, columns: int) -> str:
    """Returns the question as it is written to a terminal, without the prompt.

    Args:
        item: What is asked.
        painter: Knows the terminal's colors.
        left_s: Seconds that are left for an answer.
        columns: The terminal's.
    """
    how = "one or more numbers, as in 1,2" if item.multi else "a number"
    texts = [
        Text("? The agent asks you", "bold yellow"),
        _matter(item, max(1, columns - len(_BAR))),
        Text(f"Type {how}, or an answer of your own, then Enter."),
        Text(f"Without an answer within {time_left(left_s)} the agent goes on without one.", "dim"),
    ]
    lines = [line.text for text in texts for line in painter.lines(text, columns)]
    return "".join(f"{line}\n" for line in ["", *lines])


def _matter(item: QuestionItem, columns: int) -> Text:
    text = Text(no_wrap=True, overflow="crop")
    for number, (row, style) in enumerate(_rows(item, columns)):
        text.append("\n" if number else "").append(_BAR, "yellow").append(row, style)
    return text


def _rows(item: QuestionItem, columns: int) -> Iterator[tuple[str, str]]:
    asked = f"{item.header}: {item.question}" if item.header else item.question
    yield from ((row, "bold") for row in _folded(asked, columns))
    for number, option in enumerate(item.options, 1):
        yield from ((row, "") for row in _folded(f"{number}  {option.label}", columns))
        if option.description:
            yield from ((row, "dim") for row in _folded(f"   {option.description}", columns))


def _folded(text: str, columns: int) -> Iterator[str]:
    for line in text.split("\n"):
        yield from chop_cells(exact(line.expandtabs()), columns) or [""]
