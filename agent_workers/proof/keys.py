"""The keys that decisions are signed with."""

from __future__ import annotations

import base64
import binascii
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

VARIABLE = "AGENT_WORKERS_SIGNING_KEY"
SHORTEST = 32
_BASE64 = "base64:"
_ID_LENGTH = 8


class NoKey(ValueError):
    """Raised when a text is no key."""


class Keys:
    """Keys by their ids; no key is ever told.

    Args:
        texts: Keys as ``AGENT_WORKERS_SIGNING_KEY`` holds one; empty lines are none.

    Raises:
        NoKey: One of them is none.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        keys = [_read(text.strip()) for text in texts if text.strip()]
        self._by_id = {id_of(key): key for key in keys}

    def __bool__(self) -> bool:
        return bool(self._by_id)

    def get(self, key_id: str) -> bytes | None:
        """Returns the key with an id; None where there is none."""
        return self._by_id.get(key_id)


def id_of(key: bytes) -> str:
    """Returns what a key is called in signatures: the first 8 digits of its SHA-256."""
    return sha256(key).hexdigest()[:_ID_LENGTH]


def _read(text: str) -> bytes:
    try:
        key = base64.b64decode(text[len(_BASE64) :], validate=True) if text.startswith(_BASE64) else text.encode()
    except binascii.Error:
        raise NoKey("A signing key begins with base64:, and what follows is no base64.") from None
    if len(key) < SHORTEST:
        raise NoKey(f"A signing key has {len(key)} bytes; {SHORTEST} are the least. Make one: openssl rand -base64 32")
    return key
