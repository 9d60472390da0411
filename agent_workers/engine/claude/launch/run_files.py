"""What is written for one run into its directory for temporary files, before the CLI starts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from agent_workers.engine.claude.launch.transcript import folder_name
from agent_workers.engine.claude.process.scratch import NO_TMPDIR
from agent_workers.errors import StateUnavailable

if TYPE_CHECKING:
    from pathlib import Path


def written(file: Path, content: str) -> Path:
    """Writes a file; returns its path.

    Raises:
        StateUnavailable: It cannot be written.
    """
    try:
        file.write_text(content, "utf-8")
    except OSError as error:
        raise StateUnavailable(NO_TMPDIR, cause=f"{file}: {error.strerror}") from error
    return file


def refuse_image_files(scratch: Path, cwd: Path, agent_id: str) -> None:
    """Keeps the CLI from writing the prompt's images to files, whose paths on this host it would tell the model.

    Args:
        scratch: The run's directory for temporary files.
        cwd: The agent's working directory.
        agent_id: The session as the CLI knows it.
    """
    place = scratch
    for name in (f"claude-{os.getuid()}", folder_name(os.path.realpath(cwd)), agent_id):
        place /= name
        place.mkdir(mode=0o700)
    (place / "images").touch()
