"""Who may connect: users by name or number, as the kernel knows the other end of a socket."""

from __future__ import annotations

import os
import pwd
import socket
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_CREDENTIALS = struct.Struct("iII")  # struct ucred of unix(7)


class Peer(NamedTuple):
    """The process at the other end of a connection, as it was when it connected."""

    pid: int
    uid: int
    gid: int


def peer_of(connection: socket.socket) -> Peer:
    """Returns who is at the other end."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return Peer(*_CREDENTIALS.unpack(data))


def uids_of(users: Iterable[str]) -> frozenset[int]:
    """Returns the numbers of users.

    Raises:
        ValueError: There is no such user.
    """
    return frozenset(map(_uid_of, users))


def always_allowed() -> frozenset[int]:
    """Returns the numbers of those who may do to the pool as they like in any case: its own user, and root."""
    return frozenset({0, os.geteuid()})


def _uid_of(user: str) -> int:
    if user.isdecimal():
        return int(user)
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        raise ValueError(f"allow_users: there is no user called {user!r}") from None
