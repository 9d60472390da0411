"""``--interactive``: a person at the terminal answers the agent's questions."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import anyio
from anyio.lowlevel import checkpoint

from agent_workers.cli.controlling_terminal import TerminalLost
from agent_workers.cli.shared_terminal import SharedTerminal, Standing
from agent_workers.cli.terminal import choosing
from agent_workers.cli.terminal.painter import Painter
from agent_workers.cli.terminal.question import AGAIN, PROMPT, Choice, draw, read_choice
from agent_workers.protocol.v1.control import Answer, Permission
from agent_workers.protocol.v1.events import Question

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from agent_workers.cli.controlling_terminal import ControllingTerminal
    from agent_workers.protocol.v1.events import Asked, PermissionRequest, QuestionItem
    from agent_workers.stdio.stdout import Output, Stdout

logger = logging.getLogger("agent_workers")

T = TypeVar("T")

_LAST_WORD_S = 1  # what a terminal that takes nothing may hold up the end of a question
_DENIED = Choice(allowed=False)
_SETTLED = {"timeout": "Nobody answered in time: denied.", "abort": "The run was stopped: denied."}
_UNANSWERED = {"timeout": "Nobody answered in time.", "abort": "The run was stopped."}


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

    async def ask(self, question: Asked) -> Permission | Answer | None:
        """Puts one question, and waits for the answer."""
        if isinstance(question, Question):
            answers = await self._put(question.question_id, lambda: self._ask_user(question), _UNANSWERED)
            return _answer(question, answers) if answers else None
        if question.name in self._always:
            return _permission(question, Choice(allowed=True))
        choice = await self._put(question.permission_id, lambda: self._ask_consent(question), _SETTLED)
        if choice.always:
            self._always.add(question.name)
        return _permission(question, choice)

    async def _put(self, question_id: str, talk: Callable[[], Awaitable[T]], settled: Mapping[str, str]) -> T:
        """Has the terminal for a question until it is answered; cancelled where it is settled without an answer."""
        standing = Standing(question_id)
        answers: list[T] = []
        try:
            with standing.scope:
                await self._shared.give_way(standing)
                answers.append(await talk())
        finally:
            with anyio.move_on_after(_LAST_WORD_S, shield=True):
                by = standing.settled_by
                await self._leave(None if answers else settled.get(by, "The question is settled."))
            standing.gone.set()
        if not answers:
            await anyio.sleep_forever()  # nobody waits for an answer any more, and this is cancelled
        return answers[0]

    async def _ask_consent(self, question: PermissionRequest) -> Choice:
        columns, rows = self._terminal.size
        left_s = _left_s(question)
        try:
            with self._terminal.line_by_line():
                await self._terminal.write(draw(question, self._painter, left_s=left_s, columns=columns, rows=rows))
                while (typed := await self._typed(PROMPT)) is not None:
                    if answer := read_choice(typed):
                        return answer
                    await self._terminal.write(f"{AGAIN}\n")
                await self._terminal.write("\nThe input has ended: denied.\n")
                return _DENIED
        except TerminalLost:
            logger.error("a call was denied because the terminal cannot be used")
            return _DENIED

    async def _ask_user(self, question: Question) -> dict[str, str | list[str]] | None:
        """Asks one after the other; returns None where there is nobody."""
        answers: dict[str, str | list[str]] = {}
        try:
            with self._terminal.line_by_line():
                for item in question.questions:
                    answer = await self._choose(item, _left_s(question))
                    if answer is None:
                        await self._terminal.write("\nThe input has ended: no answer.\n")
                        return None
                    answers[item.question] = answer
        except TerminalLost:
            logger.error("a question has no answer because the terminal cannot be used")
            return None
        return answers

    async def _choose(self, item: QuestionItem, left_s: float) -> str | list[str] | None:
        columns, _ = self._terminal.size
        await self._terminal.write(choosing.draw(item, self._painter, left_s=left_s, columns=columns))
        while (typed := await self._typed(choosing.PROMPT)) is not None:
            try:
                return choosing.read_answer(typed, item)
            except choosing.NoAnswer as fault:
                await self._terminal.write(f"{fault}\n")
        return None

    async def _typed(self, prompt: str) -> str | None:
        self._terminal.forget_typed()  # an answer is what was typed after the question
        await self._terminal.write(prompt)
        return await self._terminal.read_line()

    async def _leave(self, words: str | None) -> None:
        """Ends a question on the terminal; with a word where it was not answered."""
        try:
            if words is not None:
                self._terminal.forget_typed()
                await self._terminal.write(f"\n{words}\n")
        except TerminalLost:
            pass
        finally:
            await self._shared.take_back()


def _left_s(question: Asked) -> float:
    return (datetime.fromisoformat(question.expires_at) - datetime.now(UTC)).total_seconds()


def _answer(question: Question, answers: dict[str, str | list[str]]) -> Answer:
    said = {"id": question.question_id, "question_id": question.question_id, "answers": answers}
    return Answer.model_validate({"type": "answer", **said})


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
