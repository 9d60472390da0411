"""Finds the SDK's version and its CLI. Does not import the SDK, which takes longer than the CLI's own start."""

import importlib.util
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from agent_workers.errors import CliMissing


@cache
def sdk_dir() -> Path:
    """Returns the directory of the installed ``claude_agent_sdk`` package.

    Raises:
        CliMissing: It is not installed.
    """
    spec = importlib.util.find_spec("claude_agent_sdk")
    if spec is None or spec.origin is None:
        raise CliMissing(cause="the package claude-agent-sdk is not installed")
    return Path(spec.origin).parent


@cache
def sdk_version() -> str:
    """Returns the SDK's version, such as ``0.2.186``."""
    return _assigned(sdk_dir() / "_version.py")


def bundled_cli_version() -> str:
    """Returns the version of the CLI that the SDK was released with, such as ``2.1.329``."""
    return _assigned(sdk_dir() / "_cli_version.py")


def _assigned(path: Path) -> str:
    found = re.search(r"""__\w*version__ = ["'](.+)["']""", path.read_text("utf-8")) if path.exists() else None
    return found[1] if found else "unknown"


def find_cli(environ: Mapping[str, str]) -> Path:
    """Finds the CLI to run: ``AGENT_WORKERS_CLI``, else the SDK's bundled one, else ``claude`` on the PATH.

    Raises:
        CliMissing: None of them can be executed.
    """
    if explicit := environ.get("AGENT_WORKERS_CLI"):
        return _executable(_absolute(explicit), named_by="AGENT_WORKERS_CLI")
    bundled = sdk_dir() / "_bundled" / "claude"
    if _exists(bundled):
        return _executable(bundled)
    import shutil

    on_path = shutil.which("claude", path=environ.get("PATH"))
    if on_path is None:
        raise CliMissing(cause="the SDK bundles no CLI for this platform and there is no claude on the PATH")
    return Path(on_path)


def _absolute(path: str) -> Path:
    try:
        return Path(path).absolute()
    except OSError as error:
        raise CliMissing(cause=f"{path} is relative to a working directory that is gone") from error


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    except PermissionError as error:
        raise CliMissing(cause=f"{path} is out of this user's reach") from error


def _executable(path: Path, named_by: str = "") -> Path:
    by = f" (by {named_by})" if named_by else ""
    if not _exists(path) or not os.access(path, os.X_OK):
        raise CliMissing(cause=f"{path} is not an executable file{by}")
    return path
