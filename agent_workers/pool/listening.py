"""The pool's socket: its own, or one that the service manager has opened."""

from __future__ import annotations

import fcntl
import grp
import os
import socket
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST = 3  # sd_listen_fds(3)
_BACKLOG = 1024
_MODE = 0o660
_LONGEST = 107  # unix(7)


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
        ValueError: There is no such group, or this user may not give the socket to it.
    """
    gid = _gid_of(group) if group else -1
    _check(path)
    with _alone_in(path.parent):
        return _opened(path, group, gid)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keeps servers that start at once from taking the path away from each other."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _opened(path: Path, group: str | None, gid: int) -> Listening:
    _make_way(path)
    listening = socket.socket(socket.AF_UNIX)
    try:
        _bind(listening, path)
        try:
            os.chown(path, -1, gid)
        except PermissionError:
            path.unlink()
            words = f"group: this user is not in the group {group!r}, and may not give it the socket"
            raise ValueError(words) from None
        listening.listen(_BACKLOG)
    except BaseException:
        listening.close()
        raise
    return Listening(listening, owned=True)


def _check(path: Path) -> None:
    """Checks that there may be a socket at a path.

    Raises:
        OSError: There may be none.
    """
    length = len(os.fsencode(path))
    if length > _LONGEST:
        raise OSError(None, f"the path has {length} bytes, and a socket's has at most {_LONGEST}: choose a shorter one")
    if not path.parent.is_dir():
        raise OSError(None, f"there is no directory {path.parent}: make it, owned by the pool's user")


def _make_way(path: Path) -> None:
    """Sees to it that a socket can be made at a path.

    Raises:
        OSError: It cannot.
    """
    if path.is_socket():
        _remove_old(path)
    elif path.exists():
        raise OSError(None, "something is there that is no socket: remove it, or choose another path")


def _remove_old(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            pass  # it is so busy that it takes no more
        except PermissionError:
            raise OSError(None, "a socket of another user is there: stop that user's pool, or remove it") from None
    raise OSError(None, "another pool serves there: stop it first, or choose another path")


def _bind(listening: socket.socket, path: Path) -> None:
    mask = os.umask(0o777 & ~_MODE)
    try:
        listening.bind(str(path))
    except PermissionError:
        words = f"this user may not write to the directory {path.parent}: have it owned by the pool's user"
        raise OSError(None, words) from None
    finally:
        os.umask(mask)


def _gid_of(group: str) -> int:
    if group.isdecimal():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise ValueError(f"group: there is no group called {group!r}") from None
