"""Where sessions, workspaces and the CLI's own files lie."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from agent_workers.cli.checkup.finding import Finding
from agent_workers.engine.host.state_directory import BAD_MODE, COMMON, STATE_MODE, make_private
from agent_workers.errors import StateUnavailable

if TYPE_CHECKING:
    from agent_workers.engine.claude import Environment

_CURE = "Set AGENT_WORKERS_STATE_DIR to a directory that this user owns, the same one for each run."
_SHARE = (
    "For two users to share one, set AGENT_WORKERS_STATE_MODE=0770 for both, and have it and what is in it, but for "
    "claude and home, belong to a group of both: chgrp, chmod 2770. Else give each user one of its own."
)


def check_state_dir(host: Environment) -> Finding:
    """Checks the state directory, making it where it is missing, as a run does; warns where two users may share it."""
    chosen_by = _first_set(host, "AGENT_WORKERS_STATE_DIR", "XDG_STATE_HOME") or "HOME"
    facts = {"chosen_by": chosen_by}
    try:
        path = host.state_dir()
        for inside in filter(Path.exists, (path / name for name in COMMON)):
            make_private(inside)
    except StateUnavailable as error:
        cure = {BAD_MODE: f"Set {STATE_MODE} to 0700, or to 0770 for a group."}.get(error.message)
        return Finding("state_dir", "fail", str(error.cause), cure or _cure(host), facts)
    facts = {"path": str(path), **facts}
    if (other := _owner_above(path)) and not path.stat().st_mode & stat.S_IWGRP:
        found = (
            f"{path} (by {chosen_by}) is for this user alone: a run of {other}, whose directory it lies in, would fail"
        )
        return Finding("state_dir", "warn", f"{found} with state_unavailable", f"Run this as {other}. {_SHARE}", facts)
    return Finding("state_dir", "ok", f"{path} (by {chosen_by})", facts=facts)


def check_config_dir(host: Environment) -> Finding:
    """Checks the CLI's configuration directory: its login and its sessions."""
    chosen_by = _first_set(host, "CLAUDE_CONFIG_DIR", "AGENT_WORKERS_STATE_DIR") or "HOME"
    try:
        path = config_dir(host)
        make_private(path)
    except StateUnavailable as error:
        cure = "Set CLAUDE_CONFIG_DIR to a directory that this user owns."
        cure = cure if chosen_by == "CLAUDE_CONFIG_DIR" else _cure(host)
        return Finding("config_dir", "fail", str(error.cause), cure, {"chosen_by": chosen_by})
    facts = {"path": str(path), "chosen_by": chosen_by}
    return Finding("config_dir", "ok", f"{path} (by {chosen_by})", facts=facts)


def _cure(host: Environment) -> str:
    """Returns what to do; where the directory belongs to another user, there is a second way."""
    path = host._state_path()  # noqa: SLF001 state_dir() has just failed
    if path and any(_is_of_another(each) for each in (path, *(path / name for name in COMMON))):
        return f"{_CURE} {_SHARE}"
    return _CURE


def _is_of_another(path: Path) -> bool:
    try:
        return path.stat().st_uid != os.getuid()
    except OSError:
        return False


def _owner_above(path: Path) -> str | None:
    """Returns the user in whose directory the path lies; None where that is this one or root."""
    uid = path.parent.stat().st_uid
    if uid in (0, os.getuid()):
        return None
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def config_dir(host: Environment) -> Path:
    """Returns the directory in which the CLI will look for its login.

    Raises:
        StateUnavailable: There is no place for it.
    """
    if path := host.config_dir():
        return path
    home = host.home()
    assert home  # where there is none, the state directory is the place
    return home / ".claude"


def _first_set(host: Environment, *names: str) -> str | None:
    return next((name for name in names if host.environ.get(name)), None)
