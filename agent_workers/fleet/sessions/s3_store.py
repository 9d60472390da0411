"""Conversations in a bucket of S3, or of a store that speaks its protocol."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from agent_workers.errors import SessionDamaged, StoreUnreachable
from agent_workers.fleet.sessions.store import Version, hash_of

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_MISSING = ("404", "NoSuchKey", "NotFound")


class S3SessionStore:
    """See ``SessionStore``. Each conversation is an object, named by a hash: no session can be resumed by its name.

    Credentials, region and address are found as boto3 finds them: in variables such as ``AWS_PROFILE`` and
    ``AWS_ENDPOINT_URL``. How long conversations are kept is the bucket's own rule of lifetimes.

    Args:
        bucket: The bucket's name.
        prefix: The start of each object's name.

    Raises:
        ImportError: The extra ``s3`` is not installed.
    """

    def __init__(self, bucket: str, prefix: str = "") -> None:
        import boto3  # slow to import
        from botocore.config import Config

        settings = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 2})
        self._client: Any = boto3.client("s3", config=settings)
        self._bucket = bucket
        self._prefix = prefix

    async def find(self, name: str) -> Version | None:
        """Returns which version is stored; None where there is none."""
        found = await self._reach(lambda: self._client.head_object(Bucket=self._bucket, Key=self._key(name)))
        return _version(found, name) if found else None

    async def read(self, name: str) -> bytes | None:
        """Returns what is stored; None where there is nothing."""

        def get() -> tuple[Any, bytes]:
            found = self._client.get_object(Bucket=self._bucket, Key=self._key(name))
            return found, found["Body"].read()

        if (answer := await self._reach(get)) is None:
            return None
        found, data = answer
        if not _version(found, name).fits(data):
            raise SessionDamaged(cause=f"the object {self._key(name)} is not what was stored")
        return data

    async def write(self, name: str, data: bytes) -> Version:
        """Stores a new version."""
        version = Version(uuid4().hex, len(data), hash_of(data))
        told = {"id": version.id, "length": str(version.length), "sha256": version.sha256}
        await self._reach(
            lambda: self._client.put_object(Bucket=self._bucket, Key=self._key(name), Body=data, Metadata=told)
        )
        return version

    async def move(self, source: str, target: str) -> bool:
        """Puts what is stored under a name in another's place."""
        if not await self.copy(source, target):
            return False
        await self.remove(source)
        return True

    async def copy(self, source: str, target: str) -> bool:
        """Stores under another name what is stored under one."""
        whence = {"Bucket": self._bucket, "Key": self._key(source)}
        made = await self._reach(
            lambda: self._client.copy_object(Bucket=self._bucket, Key=self._key(target), CopySource=whence)
        )
        return made is not None

    async def remove(self, name: str) -> None:
        """Removes what is stored, if anything is."""
        await self._reach(lambda: self._client.delete_object(Bucket=self._bucket, Key=self._key(name)))

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{hash_of(name.encode())}".lstrip("/")

    async def _reach(self, work: Callable[[], T]) -> T | None:
        """Returns the answer; None where there is no such object."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return await asyncio.to_thread(work)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _MISSING:
                return None
            raise StoreUnreachable(cause=f"S3: {error}") from error
        except (BotoCoreError, OSError) as error:
            raise StoreUnreachable(cause=f"S3: {error}") from error


def _version(found: Any, name: str) -> Version:
    told = found.get("Metadata", {})
    try:
        return Version(told["id"], int(told["length"]), told["sha256"])
    except (KeyError, ValueError):
        raise SessionDamaged(cause=f"the object of {hash_of(name.encode())} is not one that was stored here") from None
