"""What a worker has written to stderr, and never more than the kit can hold."""

from __future__ import annotations

_KEPT = 1 << 16


class Stderr:
    """How it begins and how it ends, and whether a text stood in it that nobody may read.

    Args:
        secret: That text.

    Attributes:
        leaked: Whether it stood there, be it in what is not kept.
    """

    def __init__(self, secret: bytes) -> None:
        self.leaked = False
        self._secret = secret
        self._head = self._tail = b""
        self._last = b""

    def push(self, chunk: bytes) -> None:
        """Takes what was read."""
        window = self._last + chunk
        self.leaked = self.leaked or self._secret in window
        self._last = window[1 - len(self._secret) :]
        room = _KEPT - len(self._head)
        self._head += chunk[:room]
        self._tail = (self._tail + chunk[room:])[-_KEPT:]

    @property
    def kept(self) -> bytes:
        """The beginning and the end; all of it where it is short."""
        return self._head + self._tail
