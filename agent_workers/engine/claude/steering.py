"""Words to the agent while it works: each goes in with a tool's result, or its sender learns that it came too late.

The CLI takes such a word into the running turn when tools have ended, and makes a turn of its own of one that it finds
at the end. So a word is held here until a tool is called, and withdrawn where the model went on without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import anyio
from anyio.lowlevel import checkpoint

from agent_workers.engine.claude.messages.translate import OUTPUT_TOOL
from agent_workers.engine.claude.process.cli_input import steer_line, withdraw_line
from agent_workers.protocol.v1.events import Ack, Steered, ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence, Sized

    from agent_workers.protocol.v1.control import Steer
    from agent_workers.protocol.v1.events import Body

    Write = Callable[[bytes], Awaitable[None]]

_TAKEN_S = 0.1  # the CLI takes words in at once when its tools have ended; the model answers later


@dataclass(slots=True)
class _Word:
    steer: Steer
    line: str | None = None  # the UUID under which the CLI has it


class Steering:
    """The words of one run, from the first on.

    Args:
        write: Writes bytes to the CLI.
        spawn: Starts a task of the run, such as ``write``; those that wait for the CLI keep their order.
        calls: Ids of the main agent's calls that have no result yet.
        rounds: The messages in which the main agent has called tools; it grows.
        max_turns: How many of the model's messages the run may have; the last has no next.
        partial: Whether the CLI reports what the model says while it does.
        closed: Whether any call may end the run, so that a word handed over before it could begin a turn.
    """

    def __init__(
        self,
        write: Write,
        spawn: Callable[..., None],
        *,
        calls: Iterable[str],
        rounds: Sized,
        max_turns: int | None,
        partial: bool,
        closed: bool = False,
    ) -> None:
        self._write = write
        self._spawn = spawn
        self._calls = set(calls)
        self._rounds = rounds
        self._max_turns = max_turns
        self._partial = partial
        self._closed = closed
        self._words: list[_Word] = []

    @property
    def astray(self) -> list[str]:
        """The UUIDs of the words that the CLI has and may yet make a turn of."""
        return [word.line for word in self._words if word.line]

    def take(self, message: Steer) -> Ack | None:
        """Takes a word; returns its ``ack`` where its fate is known at once."""
        if not message.text.strip():
            return Ack(id=message.id, ok=False, code="invalid_message")  # the model would be told of no content
        self._words.append(_Word(message))
        if self._calls:
            self._hand_over()
        return None

    def follow(self, message: dict[str, Any]) -> Iterator[Body]:
        """Follows the CLI's messages; yields what is told of words that the agent has read."""
        if message.get("type") == "command_lifecycle":
            yield from self._settle(message.get("command_uuid"), message.get("state"))
        elif message.get("type") == "stream_event" and not message.get("parent_tool_use_id"):
            self._follow_model(message["event"])

    def note(self, body: Body) -> None:
        """Notes which calls the main agent makes, and which have ended."""
        if isinstance(body, ToolCall) and body.parent_tool_use_id is None:
            self._calls.add(body.tool_use_id)
            self._hand_over()
        elif isinstance(body, ToolResult) and body.tool_use_id in self._calls:
            self._calls.discard(body.tool_use_id)
            if self.astray and not self._calls and not self._partial:
                self._spawn(self._withdraw_later)

    def unread(self) -> Sequence[Ack]:
        """Returns the ``ack`` of each word that the agent has not read, where it reads no more."""
        return [Ack(id=word.steer.id, ok=False, code="too_late") for word in self._words]

    async def withdraw(self) -> None:
        """Takes from the CLI what the agent has not read, so that no turn comes of it."""
        await checkpoint()  # what was handed over a moment ago is written first
        for line in self.astray:
            await self._write(withdraw_line(line))

    async def close(self) -> None:
        """Hands nothing over any more: the turn ends with the calls that are open."""
        self._closed = True
        await self.withdraw()

    def _follow_model(self, event: dict[str, Any]) -> None:
        if event.get("type") == "message_start":  # of an answer to the results that have gone out
            if self.astray:
                self._spawn(self.withdraw)
        elif event.get("type") == "content_block_start":
            block = event["content_block"]
            if block.get("type") == "tool_use" and block.get("name") != OUTPUT_TOOL:
                self._hand_over(rounds=len(self._rounds) + 1)

    def _hand_over(self, rounds: int | None = None) -> None:
        if self._closed or (self._max_turns and (rounds or len(self._rounds)) >= self._max_turns):
            return  # the CLI ends the turn after these calls, and would begin another
        for word in self._words:
            if word.line is None:
                word.line = str(uuid4())
                self._spawn(self._write, steer_line(word.steer.text, word.line))

    async def _withdraw_later(self) -> None:
        await anyio.sleep(_TAKEN_S)
        if not self._calls:
            await self.withdraw()

    def _settle(self, line: object, state: object) -> Iterator[Body]:
        word = next((word for word in self._words if word.line == line), None)
        if word and state == "started":
            self._words.remove(word)
            yield Ack(id=word.steer.id, ok=True)
            yield Steered(id=word.steer.id, actor=word.steer.actor)
        elif word and state == "cancelled":
            word.line = None
            if self._calls:
                self._hand_over()
