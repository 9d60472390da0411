"""Where a fleet keeps its conversations: bytes under a name, each version whole or not there at all."""

from __future__ import annotations

import hashlib
from typing import NamedTuple, Protocol

DAY_S = 24 * 3600
TTL_S = 30 * DAY_S
"""How long a conversation is kept that nobody uses."""


class Version(NamedTuple):
    """What is stored under a name.

    Attributes:
        id: Differs from that of every other version that was ever stored under the name.
        length: Of the bytes.
        sha256: Of the bytes, in hexadecimal digits.
    """

    id: str
    length: int
    sha256: str

    def fits(self, data: bytes) -> bool:
        """Tells whether these are the bytes that were stored."""
        return len(data) == self.length and hash_of(data) == self.sha256


class SessionStore(Protocol):
    """Keeps conversations; each use of one renews the time for which it is kept.

    Every method raises ``StoreUnreachable`` where the store does not answer.
    """

    async def find(self, name: str) -> Version | None:
        """Returns which version is stored; None where there is none."""
        ...

    async def read(self, name: str) -> bytes | None:
        """Returns what is stored, which fits its version; None where there is nothing.

        Raises:
            SessionDamaged: It is not what was stored.
        """
        ...

    async def write(self, name: str, data: bytes) -> Version:
        """Stores a new version; whoever reads meanwhile gets this one or the last one, whole."""
        ...

    async def move(self, source: str, target: str) -> bool:
        """Puts what is stored under a name in another's place, at once; False where nothing is."""
        ...

    async def copy(self, source: str, target: str) -> bool:
        """Stores under another name what is stored under one; False where nothing is."""
        ...

    async def remove(self, name: str) -> None:
        """Removes what is stored, if anything is."""
        ...


def hash_of(data: bytes) -> str:
    """Returns the SHA-256 of bytes, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
