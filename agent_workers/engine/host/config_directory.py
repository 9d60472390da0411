"""The CLI's directory for a run that brings its own key: with the usual conversations, and without the usual login."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.engine.host.state_directory import make_private

if TYPE_CHECKING:
    from pathlib import Path

# What the CLI keeps of a conversation for its next run. Logins, settings and what it knows of accounts lie beside them.
_OF_CONVERSATIONS = ("projects", "file-history", "plans", "session-env", "tasks", "todos")


def without_login(usual: Path, scratch: Path) -> Path:
    """Makes a directory for one run, in which the CLI finds the conversations and nothing else of the usual one.

    Args:
        usual: The usual directory.
        scratch: The run's directory for temporary files.

    Raises:
        StateUnavailable: The usual directory cannot be written.
    """
    own = scratch / "config"
    make_private(own)
    for name in _OF_CONVERSATIONS:
        make_private(usual / name)
        (own / name).symlink_to(usual / name)
    return own
