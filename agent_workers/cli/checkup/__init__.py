"""What a run needs from its host, checked as the user who asks. Nothing is left behind, and no credential is told."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from agent_workers.cli.checkup.credential import check_credential
from agent_workers.cli.checkup.distribution import check_distribution, check_programs
from agent_workers.cli.checkup.finding import Finding
from agent_workers.cli.checkup.fleet import check_fleet
from agent_workers.cli.checkup.machine import (
    check_home,
    check_parent_death,
    check_proxies,
    check_python,
    check_temporary_dir,
)
from agent_workers.cli.checkup.messages import check_messages
from agent_workers.cli.checkup.network import check_network
from agent_workers.cli.checkup.policy import check_policy, check_worker_policy
from agent_workers.cli.checkup.pool import check_pool, weighed
from agent_workers.cli.checkup.program import check_cli, check_sdk
from agent_workers.cli.checkup.records import check_records
from agent_workers.cli.checkup.state import check_config_dir, check_state_dir
from agent_workers.engine.host.state_directory import of_this_user
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent_workers.engine.claude import Environment

    Check = Callable[[Environment], Finding | list[Finding] | None]

__all__ = ["Finding", "check_host", "check_worker"]

_CHECKS = (
    *(check_python, check_distribution, check_programs, check_sdk, check_cli, check_parent_death, check_home),
    *(check_state_dir, check_config_dir, check_temporary_dir, check_credential, check_messages),
    *(check_proxies, check_policy),
)
# What only those need who ask a model.
_FOR_MODELS = (check_cli, check_config_dir, check_credential, check_messages)


def check_host(host: Environment, *, online: bool) -> list[Finding]:
    """Checks the host for every worker; returns the findings in a fixed order.

    Args:
        host: The machine with the environment that a worker would find.
        online: Whether to see if the API can be reached.
    """
    with _left_as_found(host):
        checks = (*_CHECKS, *((check_network,) if online else ()), check_pool, check_fleet, check_records)
        return weighed([finding for check in checks for finding in _findings(check, host)])


def check_worker(host: Environment, worker: str) -> list[Finding]:
    """Checks the host for one worker, and whether the policy allows it; returns the findings.

    Args:
        host: The machine with the environment that the worker found.
        worker: Its name.
    """
    with _left_as_found(host):
        own: Check = partial(check_worker_policy, worker=worker)
        checks = [*_checks_of(worker), own]
        return [finding for check in checks for finding in _findings(check, host)]


def _checks_of(worker: str) -> list[Check]:
    """Returns the checks for a worker; one that asks no model needs neither the CLI nor a credential."""
    asks_model = worker not in WORKERS or WORKERS[worker].request.asks_model
    return [check for check in _CHECKS if asks_model or check not in _FOR_MODELS]


def _findings(check: Check, host: Environment) -> list[Finding]:
    try:
        found = check(host)
    except Exception as error:  # noqa: BLE001 the other checks still tell something
        name = getattr(check, "__name__", "check_worker").removeprefix("check_")
        told = f"could not be checked: {type(error).__name__}"
        return [Finding(name, "fail", told, "Report this, with what is special about the host.")]
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


@contextmanager
def _left_as_found(host: Environment) -> Iterator[None]:
    """Removes the empty directories that the checks made: made by root, they would lock out the worker's own user."""
    home = host.home()
    own_config = host.environ.get("CLAUDE_CONFIG_DIR") or (home / ".claude" if home else None)
    wanted = (host._state_path(), own_config)  # noqa: SLF001 state_dir() would make it
    missing = [path for place in wanted if place for path in _missing(Path(place).absolute())]
    try:
        yield
    finally:
        for path in sorted(missing, key=lambda path: len(path.parts), reverse=True):
            with suppress(OSError):
                path.rmdir()


def _missing(path: Path) -> Iterator[Path]:
    """Yields the directory, those in it that a worker makes, and those above it, as far as they do not exist."""
    for each in (of_this_user(path / "claude"), path / "home", path, *path.parents):
        with suppress(OSError):
            if not each.exists():
                yield each
