"""Files of a run that is still at work, where ``Path.rglob`` fails when a directory goes meanwhile."""

import os
from pathlib import Path


def everything(root: Path) -> list[Path]:
    """All files and directories below."""
    return [Path(folder, name) for folder, folders, names in os.walk(root) for name in (*folders, *names)]


def conversations(root: Path) -> list[Path]:
    """The files in which the CLI keeps conversations."""
    return [path for path in everything(root) if path.suffix == ".jsonl"]
