"""Where sessions, workspaces and the CLI's own files lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.engine.claude.environment import make_private
from agent_workers.errors import StateUnavailable

from .finding import Finding

if TYPE_CHECKING:
    from pathlib import Path

    from agent_workers.engine.claude import Host

_CURE = "Set AGENT_WORKERS_STATE_DIR to a directory that this user owns, the same one for each run."


def check_state_dir(host: Host) -> Finding:
    """The state directory, made where it is missing, as by a run."""
    chosen_by = _first_set(host, "AGENT_WORKERS_STATE_DIR", "XDG_STATE_HOME") or "HOME"
    try:
        path = str(host.state_dir())
    except StateUnavailable as error:
        return Finding("state_dir", "fail", str(error.cause), _CURE, {"chosen_by": chosen_by})
    facts = {"path": path, "chosen_by": chosen_by}
    return Finding("state_dir", "ok", f"{path} (by {chosen_by})", facts=facts)


def check_config_dir(host: Host) -> Finding:
    """The CLI's configuration directory: its login and its sessions."""
    chosen_by = _first_set(host, "CLAUDE_CONFIG_DIR", "AGENT_WORKERS_STATE_DIR") or "HOME"
    try:
        path = config_dir(host)
        make_private(path)
    except StateUnavailable as error:
        cure = (
            "Set CLAUDE_CONFIG_DIR to a directory that this user owns." if chosen_by == "CLAUDE_CONFIG_DIR" else _CURE
        )
        return Finding("config_dir", "fail", str(error.cause), cure, {"chosen_by": chosen_by})
    facts = {"path": str(path), "chosen_by": chosen_by}
    return Finding("config_dir", "ok", f"{path} (by {chosen_by})", facts=facts)


def config_dir(host: Host) -> Path:
    """Where the CLI will look for its login.

    Raises:
        StateUnavailable: There is no place for it.
    """
    if path := host.config_dir():
        return path
    home = host.home()
    assert home  # where there is none, the state directory is the place
    return home / ".claude"


def _first_set(host: Host, *names: str) -> str | None:
    return next((name for name in names if host.environ.get(name)), None)
