"""One terminal for two: the run's events, and the questions to a person."""

from __future__ import annotations

import json
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from agent_workers.errors import OutputClosed
from agent_workers.protocol.v1.events import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent_workers.stdio.stdout import Output

_RESOLVED = {"permission_resolved": "permission_id", "question_resolved": "question_id"}


@dataclass
class Standing:
    """A question that is on the terminal.

    Attributes:
        question_id: Of the question.
        scope: Cancelled when it is settled without an answer.
        gone: Set when it has left the terminal.
        settled_by: Who settled it, as in the event.
    """

    question_id: str
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    gone: anyio.Event = field(default_factory=anyio.Event)
    settled_by: str = ""

    def is_settled_by(self, line: bytes) -> bool:
        """Returns whether this event leaves nothing to answer."""
        event = json.loads(line)
        if event["type"] in _RESOLVED and event[_RESOLVED[event["type"]]] == self.question_id:
            self.settled_by = event["by"]
            return True
        return event["type"] in TERMINAL


class SharedTerminal:
    """An output that holds the lines back while a question is on the terminal.

    Args:
        output: Takes the lines.
        make_room: Called before a question; None where nothing of the output appears on the terminal.
    """

    tells_errors = False

    def __init__(self, output: Output, make_room: Callable[[], Awaitable[None]] | None) -> None:
        self._output = output
        self._make_room = make_room
        self._standing: Standing | None = None
        self._quiet = False
        self._held: deque[bytes] = deque()

    async def send(self, line: bytes) -> None:
        """Takes one line; one that settles the question takes that from the terminal first.

        Raises:
            OutputClosed: Nobody reads.
        """
        self._held.append(line)
        if (standing := self._standing) and standing.is_settled_by(line):
            standing.scope.cancel()
            await standing.gone.wait()
        if not self._quiet:
            await self._catch_up()

    def send_now(self, line: bytes) -> None:
        """Writes what was held, and one line, without an event loop.

        Raises:
            OutputClosed: Nobody reads.
        """
        self._held.append(line)
        while self._held:
            self._output.send_now(self._held.popleft())

    async def wait_closed(self) -> None:
        """Returns when the reader has gone."""
        await self._output.wait_closed()

    async def give_way(self, standing: Standing) -> None:
        """Leaves the terminal to a question."""
        self._standing = standing
        if self._make_room:
            self._quiet = True
            with suppress(OutputClosed):  # which the next line is told as well
                await self._make_room()

    async def take_back(self) -> None:
        """Goes on after a question."""
        self._standing = None
        self._quiet = False
        with suppress(OutputClosed):
            await self._catch_up()

    async def _catch_up(self) -> None:
        while self._held:
            await self._output.send(self._held.popleft())
