"""Words to the model while it works: each goes in with a tool's result, or its sender learns that it came too late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.protocol.v1.events import Ack, Steered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_workers.protocol.v1.control import Steer
    from agent_workers.protocol.v1.events import Body


class Words:
    """The words of one run that the model has not read."""

    def __init__(self) -> None:
        self._unread: list[Steer] = []
        self._closed = False

    def take(self, message: Steer) -> Ack | None:
        """Takes a word; returns its ``ack`` where its fate is known at once."""
        if self._closed:
            return Ack(id=message.id, ok=False, code="too_late")
        if not message.text.strip():
            return Ack(id=message.id, ok=False, code="invalid_message")  # the API takes no blank text
        self._unread.append(message)
        return None

    def read(self) -> tuple[list[dict[str, Any]], list[Body]]:
        """Returns the words as the model reads them now, and what is told of them."""
        words, self._unread = self._unread, []
        told: list[Body] = []
        for word in words:
            told += [Ack(id=word.id, ok=True), Steered(id=word.id, actor=word.actor)]
        return [{"type": "text", "text": word.text} for word in words], told

    def close(self) -> Sequence[Ack]:
        """Returns the ``ack`` of each word that the model will not read; takes no more."""
        self._closed = True
        unread, self._unread = self._unread, []
        return [Ack(id=word.id, ok=False, code="too_late") for word in unread]
