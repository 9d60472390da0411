"""The SDK and the CLI that it drives."""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agent_workers.cli.checkup.finding import Finding
from agent_workers.engine.claude import Environment
from agent_workers.engine.claude.launch.installation import bundled_cli_version, find_cli, sdk_version
from agent_workers.engine.process.scratch import make_scratch, remove_scratch
from agent_workers.errors import CliMissing, WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PATIENCE_S = 10
_VERSION = re.compile(r"\d+\.\d+\.\d+")


class _NoVersion(Exception):
    """Raised when the CLI does not say its version."""


def check_sdk(host: Environment) -> Finding:
    """Checks whether the SDK is installed."""
    try:
        version = sdk_version()
    except CliMissing as error:
        return Finding("sdk", "fail", str(error.cause), "In a clone of this project: pip install --force-reinstall .")
    return Finding("sdk", "ok", version, facts={"version": version})


def check_cli(host: Environment) -> Finding:
    """Checks whether the CLI can be found and started, with the variables that an agent gets."""
    try:
        path = find_cli(host.environ)
    except CliMissing as error:
        return Finding("cli", "fail", str(error.cause), _cure(host))
    facts = {"path": str(path)}
    try:
        version = _version(path, host)
    except (_NoVersion, WorkerError) as error:
        cause = error.cause if isinstance(error, WorkerError) else error
        cure = f"As this user, run {path} --version to see why. {_cure(host)}"
        return Finding("cli", "fail", f"{path} {cause}", cure, facts)
    facts["version"] = version
    expected = bundled_cli_version()
    if version != expected:
        cure = "Unset AGENT_WORKERS_CLI to use the SDK's own." if host.environ.get("AGENT_WORKERS_CLI") else _cure(host)
        return Finding("cli", "warn", f"{version} at {path}; the SDK was released with {expected}", cure, facts)
    return Finding("cli", "ok", f"{version} at {path}", facts=facts)


def _cure(host: Environment) -> str:
    if host.environ.get("AGENT_WORKERS_CLI"):
        return "Set AGENT_WORKERS_CLI to an executable claude, or unset it to use the SDK's own."
    return "Reinstall claude-agent-sdk from the wheel for this platform, or set AGENT_WORKERS_CLI to a claude."


def _version(path: Path, host: Environment) -> str:
    """Runs ``claude --version``; returns nothing of its output but the number."""
    with _temporary_environ(host) as environ:
        try:
            ended = subprocess.run(
                [path, "--version"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=environ,
                timeout=_PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _NoVersion(f"did not say its version within {_PATIENCE_S} s") from None
        except OSError as error:
            raise _NoVersion(f"could not be started: {error.strerror}") from None
    found = _VERSION.search(ended.stdout.decode("utf-8", "replace"))
    if ended.returncode or not found:
        raise _NoVersion(f"ended with status {ended.returncode} and no version")
    return found[0]


@contextmanager
def _temporary_environ(host: Environment) -> Iterator[dict[str, str]]:
    """Yields the agent's environment with a temporary state directory: the real one has a check of its own."""
    scratch = make_scratch(host.temporary_dir())
    try:
        own = {"AGENT_WORKERS_STATE_DIR": str(scratch / "state"), "CLAUDE_CONFIG_DIR": str(scratch / "config")}
        yield Environment({**host.environ, **own}).agent_environ(scratch)
    finally:
        remove_scratch(scratch)
