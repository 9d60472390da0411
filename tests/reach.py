"""Lets other users into a test's own folders."""

import tempfile
from pathlib import Path


def let_others_into(folder: Path) -> None:
    """Lets other users reach a folder below that for temporary files, whose own rights stay as they are."""
    top = Path(tempfile.gettempdir()).resolve()
    for each in (folder.resolve(), *folder.resolve().parents):
        if each == top or not each.is_relative_to(top):
            return
        each.chmod(0o755)
