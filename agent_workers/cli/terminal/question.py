"""How a question about a tool call looks, and what an answer to it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import chop_cells
from rich.text import Text

from agent_workers.cli.terminal.sheet import Row, exact, sheet
from agent_workers.cli.terminal.words import short

if TYPE_CHECKING:
    from agent_workers.cli.terminal.painter import Painter
    from agent_workers.protocol.v1.events import PermissionRequest

PROMPT = "Allow it? [y/n/a] "
AGAIN = "Please answer y, n or a, then Enter."

# Whatever an input holds, its rows begin with the bar: a line of it cannot pass for one of ours.
_BAR = "│ "
_LAST_BAR = "├ "
_OWN_ROWS = 9  # what stands around the input
_FEWEST_ROWS = 8
_NAME = 60
_REASON = 300


class Choice(NamedTuple):
    """What a person has decided.

    Attributes:
        allowed: Whether the call may run.
        always: Whether that goes for every later call of the tool too.
        message: For the model, with a denial.
    """

    allowed: bool
    always: bool = False
    message: str | None = None


def read_choice(typed: str) -> Choice | None:
    """Reads a typed line as a choice; None where it is none."""
    word, _, rest = " ".join(typed.split()).partition(" ")
    match word.lower(), rest:
        case "y" | "yes", "":
            return Choice(allowed=True)
        case "a" | "always", "":
            return Choice(allowed=True, always=True)
        case "n" | "no", message:
            return Choice(allowed=False, message=without_controls(message) or None)
    return None


def without_controls(text: str) -> str:
    """Returns the text without control characters, such as those that an arrow key types."""
    return "".join(character for character in text if character.isprintable())


def draw(question: PermissionRequest, painter: Painter, *, left_s: float, columns: int, rows: int) -> str:
    """Returns the question as it is written to a terminal, without the prompt.

    Args:
        question: What is asked.
        painter: Knows the terminal's colors.
        left_s: Seconds that are left for an answer.
        columns: The terminal's.
        rows: The terminal's.
    """
    name = short(exact(question.name), _NAME)
    texts = [
        Text(f"? The agent asks to call {name}", "bold yellow"),
        _matter(question, max(1, columns - len(_BAR)), max(_FEWEST_ROWS, rows - _OWN_ROWS)),
        Text(f"Without an answer within {time_left(left_s)} it is denied.", "dim"),
        Text(
            f"y  yes, this call\nn  no; what follows goes to the model, as in: n use staging instead\n"
            f"a  always: this and every later call of {name} in this run, without asking again"
        ),
    ]
    lines = [line.text for text in texts for line in painter.lines(text, columns)]
    return "".join(f"{line}\n" for line in ["", *lines])


def _matter(question: PermissionRequest, columns: int, most: int) -> Text:
    """Returns the input, and why the call needs consent."""
    rows = [(_BAR, row) for row in sheet(question.name, question.input, columns=columns, most=most)]
    if question.reason:
        why = chop_cells(short(exact(f"why: {question.reason}"), _REASON), columns)
        rows += [(_BAR if number else _LAST_BAR, Row(part)) for number, part in enumerate(why)]
    text = Text(no_wrap=True, overflow="crop")
    for number, (bar, row) in enumerate(rows):
        text.append("\n" if number else "").append(bar, "yellow").append(row.text, row.style)
    return text


def time_left(left_s: float) -> str:
    """Returns the seconds that are left in words."""
    minutes, seconds = divmod(max(0, round(left_s)), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
