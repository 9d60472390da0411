"""Who may enter the state directory: its user alone, or a group where the operator shares it."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from agent_workers.errors import StateUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

STATE_MODE = "AGENT_WORKERS_STATE_MODE"
PRIVATE = 0o700
_SHARED = 0o2770
_MODE = re.compile(r"(?:0|0o)?2?7[0-7]0")
BAD_MODE = f"The mode of the state directory is not valid. The operator must correct {STATE_MODE}."
COMMON = ("workspaces", "sessions", "conversations", "pending", "simulator")
"""The directories in it that all its users share."""
# What lies in a state directory. A directory that holds anything else is not the workers' to close.
_OWN = frozenset({*COMMON, "records", "claude", "home", ".gitignore", ".gitkeep"})
_OF_ONE_USER = re.compile(r"-\d+$")


def state_mode(environ: Mapping[str, str], path: Path, *, chosen: bool) -> int:
    """Returns the mode of the state directory and of the directories in it that all its users share.

    ``AGENT_WORKERS_STATE_MODE``; else 2770 where the operator has chosen a place that is set-gid, or lies in a
    directory that is; else 0700.

    Args:
        environ: The worker's environment.
        path: The state directory, which need not exist.
        chosen: Whether the operator named the place in a variable.

    Raises:
        StateUnavailable: The variable holds no mode with all rights for the user and none for others.
    """
    if text := environ.get(STATE_MODE):
        if not _MODE.fullmatch(text):
            raise StateUnavailable(BAD_MODE, cause=f"{STATE_MODE} must be like 0700 or 0770, not {text!r}")
        mode = int(text, 8) & 0o770
        return mode | stat.S_ISGID if mode & 0o070 else mode
    return _SHARED if chosen and _is_set_gid(path) else PRIVATE


def _is_set_gid(path: Path) -> bool:
    for place in (path, *path.parents):
        try:
            return bool(place.stat().st_mode & stat.S_ISGID)
        except FileNotFoundError:
            continue
        except OSError:
            return False
    return False


def make_private(path: Path, mode: int = PRIVATE) -> None:
    """Creates the directory where it is missing, and checks that this user can write it.

    Args:
        path: The directory.
        mode: The mode of a new directory.

    Raises:
        StateUnavailable: It cannot be created or written.
    """
    try:
        _make(path, mode)
    except OSError as error:
        fault = "is not a directory" if isinstance(error, FileExistsError) else error.strerror
        raise StateUnavailable(cause=f"{path}: {fault}") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise StateUnavailable(cause=f"{path}: not writable by uid {os.getuid()}, {_access_of(path)}")


def _make(path: Path, mode: int) -> None:
    try:
        path.mkdir(mode=mode & 0o777, parents=True)
    except FileExistsError:
        if not path.is_dir():
            raise
    else:
        if mode != PRIVATE:
            path.chmod(mode)  # the process's umask does not apply to it


def _access_of(path: Path) -> str:
    import pwd  # for an error only

    try:
        found = path.stat()
    except OSError:
        return "and it cannot be seen whose it is"
    try:
        owner = pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        owner = f"uid {found.st_uid}"
    return f"it belongs to {owner} with mode {stat.S_IMODE(found.st_mode):04o}"


def close_to_others(path: Path, mode: int, *, widen: bool) -> None:
    """Removes the rights of a directory that go beyond the mode; leaves another user's directory as it is.

    Args:
        path: The existing directory.
        mode: The rights that it may give to others.
        widen: Whether it must give all of them.
    """
    found = path.stat()
    rights = stat.S_IMODE(found.st_mode)
    wanted = mode if widen else rights & (mode | stat.S_ISGID)
    if rights != wanted and found.st_uid == os.getuid():
        with suppress(OSError):  # as on a file system without modes
            path.chmod(wanted)


def holds_other_things(path: Path) -> bool:
    """Tells whether an existing directory holds something that no worker puts there."""
    with os.scandir(path) as entries:
        return any(_OF_ONE_USER.sub("", entry.name) not in _OWN for entry in entries)


def of_this_user(path: Path) -> Path:
    """Returns this directory, or its neighbour for this user where it belongs to another user."""
    own = path.with_name(f"{path.name}-{os.getuid()}")
    try:
        belongs_to_other = path.stat().st_uid != os.getuid()
    except OSError:
        return path
    return own if belongs_to_other else path
