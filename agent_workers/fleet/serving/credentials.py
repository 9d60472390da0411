"""Keys for the API that this machine has, by the names that jobs call them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class NoCredential(Exception):
    """Raised where this machine has no such credential. The words are for users too."""


def credential(folder: Path | None, name: str) -> str:
    """Reads a key: one line, in the file of that name.

    Args:
        folder: Where the files are, such as systemd's ``$CREDENTIALS_DIRECTORY`` or ``/run/secrets``; None for nowhere.
        name: Valid as the field ``credential`` of a job, so it names no other folder.

    Raises:
        NoCredential: There is none, or it is not one line.
    """
    words = f"The machine that was to run this has no credential {name!r}."
    if folder is None:
        raise NoCredential(words)
    try:
        key = (folder / name).read_text().strip()
    except (OSError, UnicodeDecodeError):
        raise NoCredential(words) from None
    if not key or "\n" in key or "\r" in key:
        raise NoCredential(f"The credential {name!r} of the machine that was to run this is not one line.")
    return key
