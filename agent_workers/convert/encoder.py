"""What the encoders have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.convert.json_text import json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agent_workers.convert.event import Event

Chunk = dict[str, Any]

TERMINAL = frozenset({"done", "error", "aborted"})
RUN_ENDED = "The run ended before this call did."
"""The result of a call that has none when the run ends."""
BEGAN_AGAIN = "The run began again before this call ended."
"""Likewise where the worker was lost, and a later attempt begins."""


def begins_anew(event: Event) -> bool:
    """Tells whether an event begins a later attempt of the run: what came before no longer counts."""
    attempt = event.fields.get("attempt")
    return event.type == "start" and type(attempt) is int and attempt > 1


def data(chunk: Chunk) -> str:
    """Returns the frame of one chunk."""
    return f"data: {json_text(chunk)}\n\n"


class Encoder:
    """Writes the events of one run in the form that a client reads. Each method returns whole frames."""

    def opening(self) -> str:
        """Returns what is sent first, before the worker has written anything."""
        return self.heartbeat()

    def event(self, event: Event) -> str:
        """Returns the frames of an event; none after the terminal one."""
        raise NotImplementedError

    def heartbeat(self) -> str:
        """Returns what is sent after a silence."""
        return ": ping\n\n"

    def closing(self) -> str:
        """Returns what is sent after the terminal event."""
        return ""


class ChunkEncoder(Encoder):
    """An encoder for a protocol of typed chunks.

    What the protocol has no form for, types and fields of the future included, goes into its extension form. So does an
    event without the fields that its type should have.
    """

    _said: set[int]  # the blocks of text that stand

    def __init__(self) -> None:
        self._said = set()
        self._is_ended = False
        self._tellers: dict[str, Callable[[Event], Iterable[Chunk]]] = {}

    def event(self, event: Event) -> str:
        """Returns the frames of an event; none after the terminal one."""
        if self._is_ended:
            return ""
        if event.type == "ping":
            return self.heartbeat()
        self._is_ended = event.type in TERMINAL
        return "".join(map(data, self._chunks(event)))

    def _chunks(self, event: Event) -> Iterable[Chunk]:
        yield from self._tellers.get(event.type, self._extension)(event)

    def _extension(self, event: Event) -> Iterable[Chunk]:
        raise NotImplementedError


def blocks_of(event: Event) -> set[int]:
    """Returns the numbers of the blocks that a ``discard`` names."""
    blocks = event.fields.get("blocks")
    return {block for block in blocks if type(block) is int} if isinstance(blocks, list) else set()
