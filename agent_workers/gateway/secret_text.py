"""Secrets that the settings name, and never have: in a file, or in a variable of the gateway's environment."""

from __future__ import annotations

import os
from pathlib import Path


class UnusableKey(Exception):
    """Raised where a key or secret cannot be used; its text says why, and never has it."""


def read_secret(file: str | None, variable: str | None) -> bytes:
    """Returns a secret, without white space around it.

    Raises:
        UnusableKey: It is missing, or cannot be read.
    """
    if file is None:
        found = os.environ.get(variable or "")
        if not found:
            raise UnusableKey(f"is missing: the variable {variable} is not set")
        return found.strip().encode()
    try:
        return Path(file).read_bytes().strip()
    except OSError as error:
        raise UnusableKey(f"cannot be read: {error.strerror}") from None
