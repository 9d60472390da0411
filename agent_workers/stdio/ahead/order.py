"""What the pool tells a worker process, and hears from it: JSON, a message each."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 1 << 17
"""Bytes of a message at most."""


class Order(NamedTuple):
    """What a worker process is started for.

    Attributes:
        pool: Name of its pool.
        worker: Name of the worker whose agent is started ahead; None where the process gets its request at once.
        request: The document that stands for the requests that will come.
        policy: Path of the host's policy; None where the environment names it, if any does.
        own_policy: Path of the pool's own policy, which holds besides; None for none.
        keeps: Whether the agent may stay for the next message of its conversation.
    """

    pool: str
    worker: str | None
    request: Mapping[str, Any]
    policy: str | None = None
    own_policy: str | None = None
    keeps: bool = False


class Assignment(NamedTuple):
    """A request that is handed to a worker process.

    Attributes:
        hello: The client's first line.
        size: Bytes of the request at the beginning of the file; what follows are control messages.
        accepted: ``time.monotonic()`` when its connection was accepted.
        way: Why it is not served by an agent that was started ahead; empty where it may be.
        connection: The descriptor of its connection.
        file: The descriptor of the file with what has been read.
    """

    hello: Mapping[str, Any]
    size: int
    accepted: float
    way: str
    connection: int
    file: int


class Channel:
    """The worker process's end of its connection with the pool.

    Args:
        end: A socket that keeps the limits of messages.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def fileno(self) -> int:
        """Returns the descriptor, to wait for a message."""
        return self._end.fileno()

    def tell(self, **message: Any) -> None:
        """Tells the pool; it may have gone, which ends no run."""
        with suppress(OSError):
            self._end.send(json.dumps(message).encode(), socket.MSG_DONTWAIT)

    def take(self) -> Assignment | dict[str, Any] | None:
        """Waits for a message; returns None where the pool has gone."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self._end, LONGEST, 2)
        except OSError:
            return None
        if not data:
            return None
        message: dict[str, Any] = json.loads(data)
        if descriptors:
            return Assignment(**message, connection=descriptors[0], file=descriptors[1])
        return message
