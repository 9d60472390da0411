"""``--interactive``: a person at the terminal answers the agent's questions."""

from __future__ import annotations

import logging
import os
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import anyio
from anyio.lowlevel import checkpoint

from agent_workers.cli.composer import Composer
from agent_workers.cli.controlling_terminal import TerminalLost
from agent_workers.cli.shared_terminal import SharedTerminal, Standing
from agent_workers.cli.terminal import choosing
from agent_workers.cli.terminal.painter import Painter
from agent_workers.cli.terminal.question import AGAIN, PROMPT, Choice, draw, read_choice, without_controls
from agent_workers.protocol.v1.control import Answer, Permission
from agent_workers.protocol.v1.events import Question

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from agent_workers.cli.controlling_terminal import ControllingTerminal
    from agent_workers.protocol.v1.events import Asked, PermissionRequest, QuestionItem
    from agent_workers.stdio.stdout import Output, Stdout

logger = logging.getLogger("agent_workers")

T = TypeVar("T")

_NOT_OURS_S = 0.5
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
        self._shown = False
        self._composer = Composer(terminal)
        self._wanted = 0  # by so many questions, which come before words
        self._idle: anyio.CancelScope | None = None

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
            self._shared = SharedTerminal(stdout, checkpoint if os.isatty(stdout.fileno()) else None)
        self._shown = os.isatty(stdout.fileno())
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

    async def overhear(self, say: Callable[[str], Awaitable[None]]) -> None:
        """Passes on each line that the person types while nothing is asked; returns where that cannot be read."""
        with suppress(TerminalLost):
            if not self._terminal.is_ours:
                return
            with self._terminal.key_by_key() if self._shown else nullcontext():
                while True:
                    async with self._floor:
                        word = await self._overheard()
                    if word:
                        await say(word)

    @cached_property
    def _floor(self) -> anyio.Lock:
        return anyio.Lock()  # in the event loop

    async def _overheard(self) -> str | None:
        """Returns what was said; None where a question wants the floor, or nothing was said after all."""
        if self._wanted:
            return None
        if not (self._shown and self._composer.begun):
            with anyio.CancelScope() as self._idle:
                await self._terminal.wait_typed()
            if self._idle.cancel_called:
                return None
        if self._shown:
            return await self._composed()
        if not (self._terminal.is_ours and self._terminal.gives_lines):
            await anyio.sleep(_NOT_OURS_S)
            return None
        line = await self._terminal.read_line()
        if line is None:
            raise TerminalLost
        return without_controls(line.strip())

    async def _composed(self) -> str | None:
        self._composer.press(self._terminal.read_keys())
        if not self._composer.begun:
            return None
        return await self._stand(Standing(""), self._composer.compose)

    def let_go(self) -> None:
        """Leaves the terminal as it was found, where the process ends at once."""
        self._terminal.restore()

    async def _put(self, question_id: str, talk: Callable[[], Awaitable[T]], settled: Mapping[str, str]) -> T:
        """Has the terminal for a question until it is answered; cancelled where it is settled without an answer."""
        self._wanted += 1
        if self._idle:
            self._idle.cancel()
        try:
            await self._floor.acquire()
        finally:
            self._wanted -= 1
        try:
            self._composer.forget()
            return await self._put_now(question_id, talk, settled)
        finally:
            self._floor.release()

    async def _stand(self, standing: Standing, talk: Callable[[], Awaitable[T]]) -> T | None:
        """Has the terminal until the person is done, or the run has ended: then None."""
        said: T | None = None
        try:
            with standing.scope:
                await self._shared.give_way(standing)
                said = await talk()
        finally:
            with anyio.move_on_after(_LAST_WORD_S, shield=True):
                if standing.scope.cancel_called:
                    with suppress(TerminalLost):
                        await self._terminal.write("\n")
                await self._shared.take_back()
            standing.gone.set()
        return said

    async def _put_now(self, question_id: str, talk: Callable[[], Awaitable[T]], settled: Mapping[str, str]) -> T:
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
