"""The run's temporary directory: created under a lock, removed with the run or else by a later one.

The lock ends with its last holder, so whoever gets it knows that the run is over, however it ended.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from agent_workers.engine.process.leftovers import end_leftovers
from agent_workers.errors import StateUnavailable

if TYPE_CHECKING:
    from pathlib import Path

NO_TMPDIR = "The worker cannot write temporary files. The operator must set TMPDIR to a directory with free space."
SCRATCH = "agent-worker-"
"""How the names of the runs' temporary directories begin."""
_OURS = re.compile(SCRATCH + "[0-9a-f]{12}")
_LOCKS: dict[Path, int] = {}


def make_scratch(base: Path) -> Path:
    """Creates a private directory for one run's temporary files; the caller removes it.

    It lies in ``TMPDIR``, not in the state directory: the CLI puts Unix sockets there, whose paths are bounded.

    Raises:
        StateUnavailable: It cannot be created.
    """
    while True:
        path = base / f"{SCRATCH}{os.urandom(6).hex()}"
        try:
            path.mkdir(mode=0o700)
        except OSError as error:
            raise StateUnavailable(NO_TMPDIR, cause=f"{path}: {error.strerror}") from error
        try:
            lock = _locked(path)
        except FileNotFoundError:  # a sweep was quicker
            continue
        except OSError:  # without locks nobody sweeps either
            return path
        if lock is not None:
            _LOCKS[path] = lock
            return path
        # A sweep removed the directory before it was locked: try again.


def remove_scratch(path: Path) -> None:
    """Removes a run's temporary files."""
    import shutil

    shutil.rmtree(path, ignore_errors=True)
    if (lock := _LOCKS.pop(path, None)) is not None:
        os.close(lock)


def lock_of(path: Path) -> int | None:
    """Returns the descriptor that holds the lock of a run's directory."""
    return _LOCKS.get(path)


def sweep(base: Path) -> None:
    """Removes the directories of this user's runs that are over: nobody holds their locks.

    Their remaining processes are ended, because nobody else is left to do it.
    """
    with suppress(OSError):
        names = [entry.name for entry in os.scandir(base) if _OURS.fullmatch(entry.name)]
        for path in (base / name for name in names):
            with suppress(OSError):
                lock = _locked(path)
                if lock is not None:
                    _LOCKS[path] = lock
                    end_leftovers(path)
                    remove_scratch(path)


def _locked(path: Path) -> int | None:
    """Takes the lock of a directory of this user; None where another holds it or has removed the directory.

    Raises:
        OSError: It is no directory, or cannot be locked.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = os.fstat(descriptor)
        if found.st_uid == os.geteuid() and os.path.samestat(found, path.lstat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None
