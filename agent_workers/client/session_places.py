"""Where the files of a session lie on this machine, by the names that they have on every machine."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from agent_workers.engine.claude.launch.transcript import Transcript
from agent_workers.engine.host.own_file import ForeignFile, open_own
from agent_workers.engine.host.session_record import AGENT
from agent_workers.errors import SessionDamaged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.engine.host.environment import Environment
    from agent_workers.engine.host.session_record import Binding

TRANSCRIPT = "transcript"
_FOLDERS_OF_CLI = ("file-history", "tasks")
"""Folders of the CLI in which each session has one of its own. What it keeps of accounts lies beside them."""


class Places:
    """The files of one session, whose record says what it is bound to.

    Args:
        environment: Where the agent lives.
        agent_id: The session as its files are named.
        binding: What it is bound to.

    Attributes:
        cwd: The working directory that the session belongs to.
        root: The directory below which all of its files lie.

    Raises:
        StateUnavailable: The state directory cannot be written.
    """

    def __init__(self, environment: Environment, agent_id: str, binding: Binding) -> None:
        self.cwd = Path(binding.cwd) if binding.cwd else environment.common_dir("workspaces", binding.worker)
        if binding.engine != AGENT:
            self.root = environment.common_dir("conversations")
            self._transcript = self.root / f"{agent_id}.jsonl"
            self._folders: dict[str, Path] = {}
            return
        self.root = cli = environment.cli_dir()
        found = Transcript(cli, self.cwd, agent_id)
        self._transcript = found.path
        self._folders = {name: cli / name / agent_id for name in _FOLDERS_OF_CLI}
        self._folders["beside"] = self._transcript.with_suffix("")

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yields the name and the path of each file that is there; none where nothing was said in the session."""
        if not _is_file(self._transcript):
            return
        yield TRANSCRIPT, self._transcript
        for name, folder in self._folders.items():
            for path in _files_below(folder):
                yield f"{name}/{path.relative_to(folder).as_posix()}", path

    def path_of(self, name: str) -> Path:
        """Returns where a file of a bundle belongs.

        Raises:
            SessionDamaged: A session of this engine has no such file.
        """
        folder, _, rest = name.partition("/")
        if name == TRANSCRIPT:
            return self._transcript
        if not rest or folder not in self._folders:
            raise SessionDamaged(cause=f"the bundle of a session holds a file that belongs nowhere: {folder!a}")
        return self._folders[folder] / rest


def read_file(path: Path) -> bytes:
    """Reads a file of this user's own.

    Raises:
        OSError: It cannot be read, or is not this user's own.
    """
    with os.fdopen(open_own(path, os.O_RDONLY), "rb") as file:
        data = file.read()
    # What is being written may end within a line, which belongs to nobody yet.
    return data[: data.rfind(b"\n") + 1] if path.suffix == ".jsonl" else data


def write_file(path: Path, data: bytes, root: Path) -> None:
    """Puts a file in its place, at once and closed to others.

    Args:
        path: Where it belongs.
        data: Its content.
        root: The directory below which no link is followed, and each directory is made that is missing.

    Raises:
        OSError: It cannot be written, or a link or another user's file is in the way.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in reversed(path.relative_to(root).parents[:-1]):
        if (root / name).is_symlink():
            raise ForeignFile(None, f"{root / name} is a link")
        (root / name).mkdir(mode=0o700, exist_ok=True)
    if path.is_symlink():
        raise ForeignFile(None, f"{path} is a link")
    if path.exists():
        os.close(open_own(path, os.O_RDONLY))
    beside = path.with_name(f".{uuid4()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        beside.rename(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _is_file(path: Path) -> bool:
    with suppress(OSError):
        return stat.S_ISREG(path.lstat().st_mode)
    return False


def _files_below(folder: Path) -> Iterator[Path]:
    if folder.is_symlink():
        return
    for place, _, names in os.walk(folder):  # follows no links
        yield from filter(_is_file, (Path(place, name) for name in names if not name.startswith(".")))
