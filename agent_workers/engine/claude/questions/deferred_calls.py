"""The calls that wait for a decision between two runs: each is carried out once, in the directory where it was made."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from agent_workers.engine.host.own_file import open_own

if TYPE_CHECKING:
    from pathlib import Path

_KEPT_S = 90 * 24 * 3600


class DeferredCalls:
    """One file for each pending call, named by its id.

    Args:
        folder: The directory of these files, created when needed.
        cwd: The working directory of this run, links resolved.
    """

    def __init__(self, folder: Path, cwd: str) -> None:
        self._folder = folder
        self._cwd = cwd

    def note(self, tool_use_id: str) -> None:
        """Notes a call that is now pending.

        Raises:
            OSError: The file cannot be written.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._forget_old()
        descriptor = open_own(self._file(tool_use_id), os.O_WRONLY | os.O_CREAT)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.truncate()
            file.write(self._cwd)

    def claim(self, tool_use_id: str) -> bool:
        """Takes a call that is pending in this directory. True for one caller only."""
        file = self._file(tool_use_id)
        with suppress(OSError):
            with os.fdopen(open_own(file, os.O_RDONLY), encoding="utf-8") as noted:
                cwd = noted.read()
            if cwd == self._cwd:
                file.unlink()  # of several runs at once, only one succeeds
                return True
        return False

    def _file(self, tool_use_id: str) -> Path:
        return self._folder / hashlib.sha256(tool_use_id.encode()).hexdigest()

    def _forget_old(self) -> None:
        for file in self._folder.iterdir():
            with suppress(OSError):
                if time.time() - file.stat().st_mtime > _KEPT_S:
                    file.unlink()
