"""What a person sees of a batch on stderr: a line that is painted anew, or plain lines where it is no terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

import anyio
import click
from rich.console import Console

from agent_workers.cli.batch_words import Speed, progress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from agent_workers.batch.batch import Batch

_PAINT_S = 0.5
_LINE_S = 10
_ERASE = "\r\x1b[J"


class _Line:
    """A line at the end of what a terminal shows.

    Args:
        console: The terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._words = ""
        self._gone = 0

    def show(self, words: str) -> None:
        """Shows these words in place of those before."""
        self._words = words
        if not self._gone:
            wide = self._console.width - 1  # in the last column the next character would come on another line
            _put(_ERASE + (words if len(words) <= wide else f"{words[: wide - 1]}…"))

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Takes the line away while something else is written to the terminal."""
        self._gone += 1
        _put(_ERASE)
        try:
            yield
        finally:
            self._gone -= 1
            if self._words:
                self.show(self._words)

    def end(self) -> None:
        """Leaves nothing of it."""
        self._words = ""
        _put(_ERASE)


_lines: list[_Line] = []  # the one that is painted just now


async def display(batch: Batch, lines: int | None) -> None:
    """Shows how far a batch has come, until cancelled.

    Args:
        batch: The batch.
        lines: How many lines it has; None where that is not known.
    """
    speed = Speed(batch.totals.ended)
    console = Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        while True:
            await anyio.sleep(_LINE_S)
            say(f"agent-batch: {progress(batch, speed, lines)}")
    line = _Line(console)
    _lines.append(line)
    try:
        while True:
            line.show(progress(batch, speed, lines))
            await anyio.sleep(_PAINT_S)
    finally:
        _lines.remove(line)
        line.end()


def aside() -> AbstractContextManager[None]:
    """Takes the line that is painted away, where one is, while something else is written to the terminal."""
    return _lines[0].aside() if _lines else nullcontext()


def say(words: str) -> None:
    """Says something on stderr, if somebody reads it: above the line that is painted, where one is."""
    with suppress(OSError), aside():
        click.echo(words, err=True)


def _put(text: str) -> None:
    with suppress(OSError, UnicodeEncodeError):
        sys.stderr.write(text)
        sys.stderr.flush()
