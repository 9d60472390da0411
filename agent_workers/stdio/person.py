"""Somebody at hand who answers the agent's questions, instead of an application that sends control messages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import anyio

from agent_workers.protocol.v1.events import PermissionRequest, PermissionResolved

if TYPE_CHECKING:
    from agent_workers.engine.base import Engine
    from agent_workers.protocol.v1.control import Permission


class Person(Protocol):
    """Answers questions one at a time."""

    async def ask(self, question: PermissionRequest) -> Permission:
        """Puts the question; cancelled when it is settled without an answer."""
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
        self._put, self._questions = anyio.create_memory_object_stream[PermissionRequest](math.inf)

    def note(self, body: PermissionRequest | PermissionResolved) -> None:
        """Takes up a question, or drops one that is settled."""
        if isinstance(body, PermissionRequest):
            self._scopes[body.permission_id] = anyio.CancelScope()
            self._put.send_nowait(body)
        elif scope := self._scopes.pop(body.permission_id, None):
            scope.cancel()

    async def hold(self) -> None:
        """Asks until cancelled."""
        async for question in self._questions:
            if scope := self._scopes.get(question.permission_id):
                with scope:
                    self._engine.answer(await self._person.ask(question))
