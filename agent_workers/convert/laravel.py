"""What Laravel's ``response()->eventStream()`` sends and the hooks of ``@laravel/stream-*`` read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.convert.encoder import TERMINAL, Encoder

if TYPE_CHECKING:
    from agent_workers.convert.event import Event

_ONE_LINE = str.maketrans({"\r": " ", "\n": " ", "\0": None})


class LaravelEncoder(Encoder):
    """Writes every event, as the worker wrote it, as the data of an ``update``, and ``</stream>`` at the end.

    Pings are comments, because the hooks take every ``update`` for a message.
    """

    def __init__(self) -> None:
        self._is_ended = False

    def event(self, event: Event) -> str:
        """Returns the frame of an event; none after the terminal one."""
        if self._is_ended:
            return ""
        self._is_ended = event.type in TERMINAL
        return self.heartbeat() if event.type == "ping" else _update(event.line)

    def closing(self) -> str:
        """Returns the sign by which the hooks know the end."""
        return _update("</stream>")


def _update(text: str) -> str:
    return f"event: update\ndata: {text.translate(_ONE_LINE)}\n\n"
