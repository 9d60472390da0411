"""Sees that clients go away while they wait, without reading what they have sent."""

from __future__ import annotations

import select
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator


class Hangups:
    """Cancels what waits for clients that have gone."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._scopes: dict[int, anyio.CancelScope] = {}

    @contextmanager
    def cancelling(self, connection: socket.socket) -> Iterator[anyio.CancelScope]:
        """Cancels what is done within once the other end is closed.

        Args:
            connection: A client's connection.
        """
        number = connection.fileno()
        with anyio.CancelScope() as scope:
            self._scopes[number] = scope
            self._epoll.register(number, select.EPOLLRDHUP | select.EPOLLONESHOT)
            try:
                yield scope
            finally:
                self._epoll.unregister(number)
                del self._scopes[number]

    async def watch(self) -> None:
        """Watches until cancelled."""
        while True:
            await anyio.wait_readable(self._epoll)
            for number, _ in self._epoll.poll(0):
                self._scopes[number].cancel()
