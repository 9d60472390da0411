"""Somebody at hand who answers the agent's questions, instead of an application that sends control messages."""

from __future__ import annotations

import math
from itertools import count
from typing import TYPE_CHECKING, Protocol

import anyio

from agent_workers.protocol.v1.control import Steer
from agent_workers.protocol.v1.events import Asked, PermissionRequest, PermissionResolved

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent_workers.engine.base import Engine
    from agent_workers.protocol.v1.control import Answer, Permission
    from agent_workers.protocol.v1.events import Ack, Settled


class Person(Protocol):
    """Answers questions one at a time."""

    async def ask(self, question: Asked) -> Permission | Answer | None:
        """Puts the question; cancelled when it is settled without an answer. Returns None where nobody will answer."""
        ...

    async def overhear(self, say: Callable[[str], Awaitable[None]]) -> None:
        """Passes on what the person says to the agent while nothing is asked, until cancelled."""
        ...

    def let_go(self) -> None:
        """Leaves everything as it was found, where the process ends at once."""
        ...


class Interview:
    """Puts the questions of one run to a person, in the order in which they come.

    Args:
        person: Answers.
        engine: Gets the answers.
    """

    def __init__(self, person: Person, engine: Engine) -> None:
        self._person = person
        self._engine = engine
        self._scopes: dict[str, anyio.CancelScope] = {}
        self._put, self._questions = anyio.create_memory_object_stream[Asked](math.inf)

    def note(self, body: Asked | Settled) -> None:
        """Takes up a question, or drops one that is settled."""
        if isinstance(body, Asked):
            self._scopes[_id_of(body)] = anyio.CancelScope()
            self._put.send_nowait(body)
        elif scope := self._scopes.pop(_id_of(body), None):
            scope.cancel()

    async def overhear(self, reply: Callable[[Ack], Awaitable[None]]) -> None:
        """Passes on what the person says between the questions.

        Args:
            reply: Is told of a word that cannot reach the agent any more.
        """
        numbers = count(1)

        async def say(text: str) -> None:
            word = Steer(type="steer", id=f"typed-{next(numbers)}", text=text)
            if ack := self._engine.answer(word):
                await reply(ack)

        await self._person.overhear(say)

    async def hold(self) -> None:
        """Asks until cancelled."""
        async for question in self._questions:
            if scope := self._scopes.get(_id_of(question)):
                with scope:
                    if answer := await self._person.ask(question):
                        self._engine.answer(answer)


def _id_of(body: Asked | Settled) -> str:
    return body.permission_id if isinstance(body, PermissionRequest | PermissionResolved) else body.question_id
