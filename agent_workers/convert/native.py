"""What the PHP bridge and the gateway send, and ``packages/react`` reads: each event under its own name, with an id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.convert.encoder import Encoder

if TYPE_CHECKING:
    from agent_workers.convert.event import Event

RETRY_MS = 3000
"""How long a client waits before it connects again."""
_WORD = str.maketrans({"\r": None, "\n": None, "\0": None})
_ONE_LINE = str.maketrans({"\r": " ", "\n": " ", "\0": None})


class NativeEncoder(Encoder):
    """Writes each event under its own name, with an id for ``Last-Event-ID``.

    The id is ``{run}:{seq}``, and in a later attempt of the run, which counts from 1 again, ``{run}:{attempt}-{seq}``.

    Args:
        retry_ms: How long a client waits before it connects again.
        begun: The attempt of the run that the first events are of.
    """

    def __init__(self, retry_ms: int = RETRY_MS, begun: int = 1) -> None:
        self._retry_ms = retry_ms
        self._attempt = begun

    def opening(self) -> str:
        """Returns how long to wait before a return, and a heartbeat."""
        return f"retry: {self._retry_ms}\n\n{self.heartbeat()}"

    def event(self, event: Event) -> str:
        """Returns the frame of an event."""
        if event.type == "start":
            self._attempt = _attempt_of(event)
        return native_frame(event.line, event.type, f"{event.run}:{place(self._attempt, event.fields['seq'])}")

    def heartbeat(self) -> str:
        """Returns a comment for proxies, and a named event: a script in the browser never sees comments."""
        return ': ping\n\nevent: ping\ndata: {"type":"ping"}\n\n'


def place(attempt: int, seq: int) -> str:
    """Returns what follows the run in the id of an event's frame."""
    return f"{attempt}-{seq}" if attempt > 1 else str(seq)


def native_frame(line: str, kind: str, name: str) -> str:
    """Returns the frame of an event: no value can end a line or a frame early.

    Args:
        line: The event as JSON; there, bare line breaks are mere white space.
        kind: Its type.
        name: The frame's id.
    """
    return f"id: {name.translate(_WORD)}\nevent: {kind.translate(_WORD)}\ndata: {line.translate(_ONE_LINE)}\n\n"


def _attempt_of(event: Event) -> int:
    attempt = event.fields.get("attempt")
    return attempt if type(attempt) is int and attempt > 1 else 1
