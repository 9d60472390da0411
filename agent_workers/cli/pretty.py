"""``--pretty``: the events rendered for a person."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

import anyio

from agent_workers.cli.terminal.plain import Plain
from agent_workers.errors import OutputClosed

if TYPE_CHECKING:
    from agent_workers.cli.terminal.display import Display
    from agent_workers.stdio.stdout import Stdout

# Redrawing at each delta would cost more than the run; so would long paragraphs if they were redrawn as often as short.
_REPAINT_S = 0.05
_IDLE_SHARE = 4  # times as long as painting took, at least, before the next
_TEXT = ("delta", "thinking", "tool_output")


class Pretty:
    """Takes a run's lines and writes what a person wants to see of them.

    On a terminal the answer is Markdown, redrawn as it grows; elsewhere it is plain text, written as it comes.

    Args:
        out: The claimed stdout.
        person: Whether its reader is asked and answers, at a prompt that is not drawn here.
    """

    tells_errors = False

    def __init__(self, out: Stdout, *, person: bool = False) -> None:
        self._out = out
        self._form = _form(out.fileno(), person=person)
        self._paint_again_at = 0.0

    async def send(self, line: bytes) -> None:
        """Renders one event.

        Raises:
            OutputClosed: Nobody reads.
        """
        if rendered := self._rendered(line):
            await self._out.send(rendered)

    def send_now(self, line: bytes) -> None:
        """Renders one event without an event loop.

        Raises:
            OutputClosed: Nobody reads.
        """
        if rendered := self._rendered(line):
            self._out.send_now(rendered)

    @property
    def paint_at(self) -> float | None:
        """When what the last events left unpainted may be painted; None where nothing is left."""
        return self._paint_again_at if self._form.behind else None

    def paint_now(self) -> None:
        """Paints it without an event loop, if it is time.

        Raises:
            OutputClosed: Nobody reads.
        """
        if self.paint_at is not None and time.monotonic() >= self.paint_at:
            self._out.send_now(self._paint().encode("utf-8", "replace"))

    async def make_room(self) -> None:
        """Writes all that is still to be painted, so that others may write below.

        Raises:
            OutputClosed: Nobody reads.
        """
        if text := self._form.make_room():
            await self._out.send(text.encode("utf-8", "replace"))

    async def wait_closed(self) -> None:
        """Returns when the reader has gone; meanwhile paints what the last events left unpainted."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._catch_up, tasks.cancel_scope)
            await self._out.wait_closed()
            tasks.cancel_scope.cancel()

    def _rendered(self, line: bytes) -> bytes:
        event = json.loads(line)
        text = self._form.feed(event)
        if event.get("type") not in _TEXT or time.monotonic() >= self._paint_again_at:
            text += self._paint()
        return text.encode("utf-8", "replace")

    def _paint(self) -> str:
        if not self._form.behind:
            return ""
        began = time.monotonic()
        painted = self._form.paint()
        now = time.monotonic()
        self._paint_again_at = now + max(_REPAINT_S, _IDLE_SHARE * (now - began))
        return painted

    async def _catch_up(self, scope: anyio.CancelScope) -> None:
        try:
            while True:
                await anyio.sleep(_REPAINT_S)
                if self.paint_at is not None and time.monotonic() >= self.paint_at:
                    await self._out.send(self._paint().encode("utf-8", "replace"))
        except OutputClosed:
            scope.cancel()


def _form(fd: int, *, person: bool) -> Plain | Display:
    if not os.isatty(fd) or os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        return Plain(person=person)
    from agent_workers.cli.terminal.display import Display  # brings a Markdown parser

    return Display(lambda: _size(fd), person=person)


def _size(fd: int) -> tuple[int, int]:
    try:
        columns, rows = os.get_terminal_size(fd)
    except OSError:
        columns = rows = 0
    return columns or 80, rows or 24
