"""Conversations in a directory that all machines of the fleet share, such as one of NFS."""

from __future__ import annotations

import asyncio
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from agent_workers.errors import SessionDamaged, StoreUnreachable
from agent_workers.fleet.sessions.store import DAY_S, TTL_S, Version, hash_of

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_MOST_HEAD = 4096
_PATIENCE_S = 30  # a share whose server has gone keeps its callers waiting
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class DirectorySessionStore:
    """See ``SessionStore``. Each conversation is a file, named by a hash: no session can be resumed by its name.

    Args:
        path: The directory, which exists: one that is missing may be a share that is not mounted.
        ttl_s: For how many seconds a conversation is kept that nobody uses.
    """

    def __init__(self, path: str | Path, *, ttl_s: int = TTL_S) -> None:
        self._folder = Path(path)
        self._ttl_s = ttl_s
        self._swept = 0.0

    async def find(self, name: str) -> Version | None:
        """Returns which version is stored; None where there is none."""
        found = await self._reach(lambda: self._read(name, whole=False))
        return found and found[0]

    async def read(self, name: str) -> bytes | None:
        """Returns what is stored; None where there is nothing."""
        found = await self._reach(lambda: self._read(name, whole=True))
        if found and not found[0].fits(found[1]):
            raise SessionDamaged(cause=f"{self._path(name)} is not what was stored")
        return found and found[1]

    async def write(self, name: str, data: bytes) -> Version:
        """Stores a new version."""
        version = Version(uuid4().hex, len(data), hash_of(data))
        await self._reach(lambda: self._write(self._path(name), version, data))
        return version

    async def move(self, source: str, target: str) -> bool:
        """Puts what is stored under a name in another's place."""
        return await self._reach(lambda: self._move(self._path(source), self._path(target)))

    async def copy(self, source: str, target: str) -> bool:
        """Stores under another name what is stored under one."""
        return await self._reach(lambda: self._copy(self._path(source), self._path(target)))

    async def remove(self, name: str) -> None:
        """Removes what is stored, if anything is."""
        await self._reach(lambda: self._path(name).unlink(missing_ok=True))

    def _path(self, name: str) -> Path:
        return self._folder / hash_of(name.encode())

    async def _reach(self, work: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await asyncio.to_thread(work)
        except OSError as error:
            raise StoreUnreachable(cause=f"{self._folder}: {error.strerror or 'no answer in time'}") from error

    def _read(self, name: str, *, whole: bool) -> tuple[Version, bytes] | None:
        path = self._path(name)
        try:
            file = os.fdopen(os.open(path, _READ), "rb")
        except FileNotFoundError:
            self._folder.stat()  # which fails where not the conversation is missing, but the directory
            return None
        with file:
            head = file.readline(_MOST_HEAD)
            data = file.read() if whole else b""
            os.utime(file.fileno())
        try:
            return Version(*json.loads(head)), data
        except (ValueError, TypeError):
            raise SessionDamaged(cause=f"{path} is not what was stored") from None

    def _write(self, path: Path, version: Version, data: bytes) -> None:
        beside = path.with_name(f".{uuid4().hex}")
        try:
            with os.fdopen(os.open(beside, _NEW, 0o600), "wb") as file:
                file.write(json.dumps(version).encode() + b"\n")
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.rename(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        self._sync()
        self._sweep()

    def _move(self, source: Path, target: Path) -> bool:
        try:
            source.rename(target)
        except FileNotFoundError:
            return False
        self._sync()
        return True

    def _copy(self, source: Path, target: Path) -> bool:
        beside = target.with_name(f".{uuid4().hex}")
        try:
            beside.hardlink_to(source)  # a file is never changed, only replaced
        except FileNotFoundError:
            return False
        return self._move(beside, target)

    def _sync(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _sweep(self) -> None:
        """Removes what nobody has used for too long, and what writers that were killed have left; once a day."""
        now = time.time()
        if now - self._swept < DAY_S:
            return
        self._swept = now
        with os.scandir(self._folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    kept_s = DAY_S if entry.name.startswith(".") else self._ttl_s
                    if now - entry.stat(follow_symlinks=False).st_mtime > kept_s:
                        Path(entry.path).unlink()
