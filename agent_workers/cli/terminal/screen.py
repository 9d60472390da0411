"""A terminal's last lines: those that stay, and below them those that are still redrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class Line(NamedTuple):
    """One line, no wider than the terminal was when it was made.

    Attributes:
        text: What to write, with its colors.
        cells: How many cells wide it is.
    """

    text: str
    cells: int


class Screen:
    """Collects what to write so that the terminal shows the lines. The cursor always stands below the last one.

    Args:
        size: Gives the terminal's columns and rows; they may change at any time.
    """

    def __init__(self, size: Callable[[], tuple[int, int]]) -> None:
        self._size = size
        self._live: Sequence[Line] = ()
        self._above = 0  # lines of this run between the top of the screen and the cursor
        self._output: list[str] = []

    @property
    def columns(self) -> int:
        """The width that a line may have now."""
        return self._size()[0]

    def take(self) -> str:
        """Returns what has to be written since the last call."""
        text = "".join(self._output)
        self._output.clear()
        return text

    def show(self, lines: Sequence[Line]) -> None:
        """Puts these lines where the redrawn ones stood; of more than fit, the last."""
        self._erase(self._live)
        self._live = lines[max(0, len(lines) - self._height()) :]
        self._write(self._live)

    def print(self, lines: Sequence[Line]) -> None:
        """Puts lines that stay where the redrawn ones stood, which are gone then."""
        self._erase(self._live)
        self._live = ()
        self._write(lines)

    def leave(self) -> None:
        """Leaves all that is there as it is, so that others may write below; what follows begins where they end."""
        self._live = ()
        self._above = 0

    def rub_out(self, lines: Sequence[Line]) -> bool:
        """Removes the redrawn lines and these, the last that were printed; False if they have scrolled away."""
        all_lines = (*lines, *self._live)
        if len(all_lines) > self._above or self._rows(all_lines) > self._height():
            return False
        self._erase(all_lines)
        self._live = ()
        return True

    def _height(self) -> int:
        """Returns how many rows there are above the cursor when it is on the last."""
        return max(0, self._size()[1] - 1)

    def _rows(self, lines: Iterable[Line]) -> int:
        """Returns how many rows the lines take if the terminal wraps them again after it became narrower."""
        columns = self.columns
        return sum(max(1, -(-line.cells // columns)) for line in lines)

    def _erase(self, lines: Sequence[Line]) -> None:
        up = min(self._rows(lines), self._height())
        self._output.append(f"\r\x1b[{up}A\x1b[J" if up else "\r\x1b[J")
        self._above -= len(lines)

    def _write(self, lines: Sequence[Line]) -> None:
        self._output += [f"{line.text}\n" for line in lines]
        self._above = min(self._above + len(lines), self._height())
