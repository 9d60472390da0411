"""The connection to a pool: made within milliseconds or not at all, and never waited for."""

from __future__ import annotations

import errno
import os
import select
import time
from _socket import AF_UNIX, SHUT_WR, SOCK_STREAM, socket  # the module socket makes enums of all constants

_ACCEPT_S = 0.05
_PAUSE_S = 0.002
_CHUNK = 1 << 16


class Connection:
    """A connection to a pool.

    Args:
        path: Of the pool's socket.

    Attributes:
        fd: Its descriptor.
        pending: What is still to be sent.

    Raises:
        OSError: No pool is there, or it does not take a connection in time.
    """

    def __init__(self, path: str) -> None:
        self._socket = socket(AF_UNIX, SOCK_STREAM)
        self._socket.setblocking(False)
        self.fd = self._socket.fileno()
        self.pending: list[memoryview] = []
        self._last_sent = False
        until = time.monotonic() + _ACCEPT_S
        while True:
            try:
                self._socket.connect(path)
                return
            except BlockingIOError:  # so many are waiting that no more fit
                if time.monotonic() >= until:
                    raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from None
                time.sleep(_PAUSE_S)

    @property
    def has_spoken(self) -> bool:
        """Whether the pool has sent something, or has closed the connection."""
        waiting = select.poll()
        waiting.register(self.fd, select.POLLIN)
        return bool(waiting.poll(0))

    def send(self, data: bytes) -> None:
        """Has this sent when the pool takes it."""
        if data:
            self.pending.append(memoryview(data))

    def end(self) -> None:
        """Has the pool told, behind all that is pending, that nothing more comes."""
        self._last_sent = True
        if not self.pending:
            self.flush()

    def flush(self) -> None:
        """Sends what the pool takes now. Where it has gone, only what it has still said counts."""
        try:
            while self.pending:
                part = self.pending[0]
                sent = self._socket.send(part)
                self.pending[:1] = [part[sent:]] if sent < len(part) else []
            if self._last_sent:
                self._socket.shutdown(SHUT_WR)
        except BlockingIOError:
            pass
        except OSError:
            self.pending.clear()

    def receive(self) -> bytes | None:
        """Returns what has come; None for nothing yet, and no bytes for the end."""
        try:
            return self._socket.recv(_CHUNK)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def close(self) -> None:
        """Closes it."""
        self._socket.close()
