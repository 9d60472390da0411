"""Asks a pool how it does, as a client of its socket."""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pathlib import Path

_QUESTION = b'{"pool": 1, "status": true}\n'
_LONGEST = 64 << 20
_CHUNK = 1 << 16
PATIENCE_S = 5

Why = Literal["missing", "no_socket", "out_of_reach", "not_listening", "busy", "silent", "not_served", "no_pool"]


class NoStatus(Exception):
    """Raised where no pool answers; its text says what is there instead.

    Attributes:
        why: The same for programs.
    """

    def __init__(self, why: Why, words: str) -> None:
        super().__init__(words)
        self.why = why


def ask_status(path: Path, *, patience_s: float = PATIENCE_S) -> dict[str, Any]:
    """Returns the status of the pool at a path.

    Args:
        path: Of its socket.
        patience_s: Seconds that it may take.

    Raises:
        NoStatus: None answers.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        _connect(connection, path)
        with suppress(OSError):  # one that does not serve this user says so without having read
            connection.sendall(_QUESTION)
        return _understood(_line(connection, time.monotonic() + patience_s))


def _connect(connection: socket.socket, path: Path) -> None:
    connection.setblocking(False)
    try:
        connection.connect(str(path))
    except FileNotFoundError:
        raise NoStatus("missing", "nothing is there") from None
    except ConnectionRefusedError:
        if path.is_socket():
            raise NoStatus("not_listening", "nobody listens there: the pool has ended") from None
        raise NoStatus("no_socket", "that is no socket") from None
    except PermissionError:
        raise NoStatus("out_of_reach", "this user may not connect") from None
    except BlockingIOError:
        raise NoStatus("busy", "the pool takes no connection: too many wait") from None
    except OSError as error:
        raise NoStatus("no_socket", error.strerror or str(error)) from None


def _line(connection: socket.socket, until: float) -> bytes:
    line = b""
    try:
        while b"\n" not in line and len(line) < _LONGEST:
            connection.settimeout(max(0.001, until - time.monotonic()))
            chunk = connection.recv(_CHUNK)
            if not chunk:
                break
            line += chunk
    except TimeoutError:
        raise NoStatus("silent", "something listens there and does not answer") from None
    except OSError:
        pass
    return line.partition(b"\n")[0]


def _understood(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    match found:
        case {"pool": int(), "pools": dict()}:
            return dict(found)
        case {"type": "error", "message": str(message)}:
            raise NoStatus("not_served", message)
    raise NoStatus("no_pool", "what answers there is no pool")
