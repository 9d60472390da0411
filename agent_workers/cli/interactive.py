"""``--interactive``: a person at the terminal answers the agent's questions."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import anyio
from anyio.lowlevel import checkpoint

from agent_workers.cli.controlling_terminal import TerminalLost
from agent_workers.cli.shared_terminal import SharedTerminal, Standing
from agent_workers.cli.terminal.painter import Painter
from agent_workers.cli.terminal.question import AGAIN, PROMPT, Choice, draw, read_choice
from agent_workers.protocol.v1.control import Permission

if TYPE_CHECKING:
    from agent_workers.cli.controlling_terminal import ControllingTerminal
    from agent_workers.protocol.v1.events import PermissionRequest
    from agent_workers.stdio.stdout import Output, Stdout

logger = logging.getLogger("agent_workers")

_LAST_WORD_S = 1  # what a terminal that takes nothing may hold up the end of a question
_DENIED = Choice(allowed=False)
_SETTLED = {"timeout": "Nobody answered in time: denied.", "abort": "The run was stopped: denied."}


class Prompt:
    """A person at a terminal: a ``Person`` of the front door.

    Args:
        terminal: Where the person sits.
    """

    def __init__(self, terminal: ControllingTerminal) -> None:
        self._terminal = terminal
        self._painter = Painter()
        self._always: set[str] = set()
        self._shared: SharedTerminal

    def share(self, stdout: Stdout, *, pretty: bool) -> Output:
        """Returns the output of a run whose questions are asked on this terminal.

        Args:
            stdout: The claimed stdout.
            pretty: Whether to render the events for the person.
        """
        if pretty:
            from agent_workers.cli.pretty import Pretty

            rendered = Pretty(stdout, person=True)
            self._shared = SharedTerminal(rendered, rendered.make_room)
        else:
            on_terminal = os.isatty(stdout.fileno())
            self._shared = SharedTerminal(stdout, checkpoint if on_terminal else None)
        return self._shared

    async def ask(self, question: PermissionRequest) -> Permission:
        """Puts one question, and waits for the answer."""
        if question.name in self._always:
            return _permission(question, Choice(allowed=True))
        standing = Standing(question.permission_id)
        answer: Choice | None = None
        try:
            with standing.scope:
                await self._shared.give_way(standing)
                answer = await self._talk(question)
        finally:
            with anyio.move_on_after(_LAST_WORD_S, shield=True):
                await self._leave(standing.settled_by if answer is None else None)
            standing.gone.set()
        if answer is None:
            await anyio.sleep_forever()  # nobody waits for an answer any more, and this is cancelled
        assert answer
        if answer.always:
            self._always.add(question.name)
        return _permission(question, answer)

    async def _talk(self, question: PermissionRequest) -> Choice:
        columns, rows = self._terminal.size
        left_s = (datetime.fromisoformat(question.expires_at) - datetime.now(UTC)).total_seconds()
        try:
            with self._terminal.line_by_line():
                await self._terminal.write(draw(question, self._painter, left_s=left_s, columns=columns, rows=rows))
                return await self._answer()
        except TerminalLost:
            logger.error("a call was denied because the terminal cannot be used")
            return _DENIED

    async def _answer(self) -> Choice:
        while True:
            self._terminal.forget_typed()  # an answer is what was typed after the question
            await self._terminal.write(PROMPT)
            typed = await self._terminal.read_line()
            if typed is None:
                await self._terminal.write("\nThe input has ended: denied.\n")
                return _DENIED
            if answer := read_choice(typed):
                return answer
            await self._terminal.write(f"{AGAIN}\n")

    async def _leave(self, settled_by: str | None) -> None:
        """Ends a question on the terminal; with a word where it was not answered."""
        try:
            if settled_by is not None:
                self._terminal.forget_typed()
                await self._terminal.write(f"\n{_SETTLED.get(settled_by, 'The question is settled.')}\n")
        except TerminalLost:
            pass
        finally:
            await self._shared.take_back()


def _permission(question: PermissionRequest, answer: Choice) -> Permission:
    said = {"message": answer.message} if answer.message else {}
    return Permission.model_validate(
        {
            "type": "permission",
            "id": question.permission_id,
            "permission_id": question.permission_id,
            "behavior": "allow" if answer.allowed else "deny",
            **said,
        }
    )
