"""The pool's socket: its own, or one that the service manager has opened."""

from __future__ import annotations

import grp
import os
import socket
from contextlib import suppress
from pathlib import Path

_FIRST = 3  # sd_listen_fds(3)
_BACKLOG = 1024
_MODE = 0o660


class Listening:
    """A socket that listens.

    Attributes:
        socket: The socket.
        path: Its path.
    """

    def __init__(self, listening: socket.socket, *, owned: bool) -> None:
        self.socket = listening
        self.path = Path(listening.getsockname())
        self._file = self.path.stat() if owned else None
        listening.setblocking(False)

    def close(self) -> None:
        """Closes it, and removes its path where this process has made it."""
        self.socket.close()
        if self._file:
            with suppress(OSError):
                if os.path.samestat(self._file, self.path.stat()):
                    self.path.unlink()


def handed_over() -> Listening | None:
    """Returns the socket that the service manager has opened; None where it has opened none.

    Raises:
        OSError: It is no Unix socket that listens.
    """
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") in {None, "0"}:
        return None
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    os.set_inheritable(_FIRST, False)
    listening = socket.socket(fileno=_FIRST)
    if listening.family != socket.AF_UNIX or not listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise OSError(None, "the socket of the service manager must be a Unix socket that listens")
    return Listening(listening, owned=False)


def open_socket(path: Path, group: str | None) -> Listening:
    """Opens a socket at a path, with mode 0660; removes one that nobody listens to any more.

    Raises:
        OSError: It cannot be opened, or another pool listens there.
        ValueError: There is no such group.
    """
    gid = _gid_of(group) if group else -1
    if path.is_socket():
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
            else:
                raise OSError(None, "another pool serves there")
    listening = socket.socket(socket.AF_UNIX)
    try:
        mask = os.umask(0o777 & ~_MODE)
        try:
            listening.bind(str(path))
        finally:
            os.umask(mask)
        os.chown(path, -1, gid)
        listening.listen(_BACKLOG)
    except BaseException:
        listening.close()
        raise
    return Listening(listening, owned=True)


def _gid_of(group: str) -> int:
    if group.isdecimal():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise ValueError(f"group: there is no group called {group!r}") from None
