"""Real paths of directories. Links are resolved first, so that none leads out of a root."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

_BEGINS_BELOW = re.compile(r"[\w.*?\[@+-]")
# The agent's rules on files contain the directory's path. They read these characters as a pattern, and drop a space at
# the end: a rule for the directory "a " would apply to "a".
_NOT_VERBATIM = re.compile(r"[*?\[\]\\\x00-\x1f\x7f]|[\s\ufeff](?:/|\Z)")


def real_directory(path: str) -> str | None:
    """Returns the directory's path with links resolved; None where there is no such directory."""
    try:
        found = os.path.realpath(path, strict=True)
    except (OSError, ValueError):
        return None
    return found if os.path.isdir(found) else None  # noqa: PTH112 never raises


def is_within(path: str, roots: Sequence[str]) -> bool:
    """Tells whether a real path is inside one of the directories; a root that does not exist contains nothing."""
    real_roots = (real_directory(root) for root in roots)
    return any(Path(path).is_relative_to(root) for root in real_roots if root is not None)


def means_itself(path: str) -> bool:
    """Tells whether the path in a rule means this directory and no other."""
    return not _NOT_VERBATIM.search(path)


def leads_out(specifier: str) -> bool:
    """Tells whether a rule's path could point outside the directory that it is relative to; in doubt, yes.

    To the CLI ``//x`` is absolute, ``/x`` relative to its settings file, ``~/x`` to the home, else to the directory.
    """
    return not _BEGINS_BELOW.match(specifier) or ".." in specifier or "\\" in specifier
