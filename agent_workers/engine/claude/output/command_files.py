"""The files into which the CLI has its commands print.

The CLI gives each command of ``Bash`` a file of its own below the run's ``TMPDIR``, which is both its stdout and its
stderr, reads it when the command has ended, and removes it. Here it is read meanwhile. Nothing stands between the
command and its file, so a command can neither notice that it is read nor ever wait for it.
"""

from __future__ import annotations

import os
import re
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from agent_workers.engine.claude.output.folder_watch import FolderWatch
from agent_workers.engine.process.leftovers import descendants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Of a user, a working directory and a session, one of each in a run. The last one is made with the first command.
_LEVELS = ("claude-*", "claude-*/*", "claude-*/*/*", "claude-*/*/*/tasks")
_LOOK_S = 0.25  # how often to look where nothing tells of new files
_COMMAND = re.compile(r"b\w+\.output")  # other letters stand for subagents
_STDOUT = "/proc/{}/fd/1"


class CommandFile:
    """The file of one command, held open: its name goes when the command ends.

    Args:
        descriptor: Reads it.

    Attributes:
        found_at: ``time.monotonic()`` when it was found.
        candidates: The calls that it may be of.
    """

    def __init__(self, descriptor: int) -> None:
        self.found_at = time.monotonic()
        self.candidates: set[str] = set()
        self._descriptor = descriptor
        self._offset = 0

    def read(self, most: int) -> bytes:
        """Returns what was printed since, up to so many bytes."""
        if most <= 0:
            return b""
        data = os.pread(self._descriptor, most, self._offset)
        if not data and self._size() < self._offset:  # the command has emptied it
            self._offset = 0
            data = os.pread(self._descriptor, most, 0)
        self._offset += len(data)
        return data

    @property
    def unread(self) -> int:
        """Bytes that were printed and not read."""
        return max(0, self._size() - self._offset)

    def beginning(self, most: int) -> bytes:
        """Returns the first bytes, read or not."""
        return os.pread(self._descriptor, most, 0)

    def is_stdout_of(self, pid: int) -> bool:
        """Tells whether a process prints into it."""
        try:
            return os.path.samestat(os.stat(_STDOUT.format(pid)), os.fstat(self._descriptor))  # noqa: PTH116 no file's
        except OSError:
            return False

    def close(self) -> None:
        """Leaves it."""
        os.close(self._descriptor)

    def _size(self) -> int:
        return os.fstat(self._descriptor).st_size


class CommandFiles:
    """Finds the files of one run's commands.

    Args:
        scratch: The run's directory for temporary files.
        cli: The CLI's process id.
    """

    def __init__(self, scratch: Path, cli: int) -> None:
        self._scratch = scratch
        self._cli = cli
        self._folders: list[Path] = []
        self._seen: set[str] = set()
        self._watch: FolderWatch | None = None
        self._changed = True
        self._look_at = 0.0

    def appeared(self, *, told: bool = False) -> Iterator[CommandFile]:
        """Yields the files that are new since the last call.

        Args:
            told: Whether there should be one, so that it is looked for though the system tells of none.
        """
        if not (told or self._changed) and time.monotonic() < self._look_at:
            return
        self._changed, self._look_at = False, time.monotonic() + _LOOK_S
        with suppress(OSError):
            if not self._folders:
                self._find_folders()
            for folder in self._folders:
                for name in os.listdir(folder):  # noqa: PTH208 half the time of Path.iterdir
                    if name not in self._seen and _COMMAND.fullmatch(name):
                        self._seen.add(name)
                        if (descriptor := _opened(folder / name)) is not None:
                            yield CommandFile(descriptor)

    def watch(self, changed: Callable[[], None]) -> None:
        """Has the event loop call ``changed`` as soon as files may have appeared, where the system tells that."""

        def notice() -> None:
            self._changed = True
            changed()

        self._watch = FolderWatch(notice)
        self._changed = True

    def close(self) -> None:
        """Ends the watch."""
        if self._watch:
            self._watch.close()

    def _find_folders(self) -> None:
        for folders in ([self._scratch], *(self._scratch.glob(level) for level in _LEVELS)):
            self._folders = list(folders)  # of the last level in the end
            if self._watch:
                self._watch.add(*self._folders)

    def printers(self, file: CommandFile) -> Iterator[str]:
        """Yields the command lines of the CLI's processes that print into the file. Only Linux tells."""
        for pid in descendants(self._cli):
            if file.is_stdout_of(pid):
                with suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as line:  # noqa: PTH123 no file
                    yield line.read().replace(b"\0", b" ").decode("utf-8", "replace")


def read_kept(path: object, most: int) -> tuple[bytes, int] | None:
    """Reads the file in which the CLI keeps a long output when its command has ended.

    Args:
        path: Its path, as far as the CLI tells of one.
        most: How many bytes to read.

    Returns:
        The first bytes, and the number of those after them; None where there is no such file.
    """
    if isinstance(path, str) and (descriptor := _opened(path)) is not None:
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(most)
            return data, max(0, os.fstat(descriptor).st_size - len(data))
    return None


def _opened(path: str | Path) -> int | None:
    """Opens a file that the CLI has made; None for anything else, which a command may have put there."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None
