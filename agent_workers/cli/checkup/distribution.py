"""What is installed: whose files lie where this package does, and the workers' programs."""

from __future__ import annotations

import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING

from agent_workers.cli.checkup.finding import Finding
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from agent_workers.engine.claude import Environment

_OURS = "claude-agent-workers"
_PACKAGE = "agent_workers/__init__.py"


def check_distribution(host: Environment) -> Finding | None:
    """Checks whether another distribution has a package of this name, as PyPI's ``agent-workers`` has; None if not."""
    others = sorted(
        {each.name for each in distributions() if each.name != _OURS and _PACKAGE in map(str, each.files or ())}
    )
    if not others:
        return None
    cure = f"pip uninstall {' '.join(others)} {_OURS}, then install this one again from its clone: pip install ."
    found = f"{', '.join(others)} brings files of the same names: whichever is installed or removed last decides"
    return Finding("distribution", "warn", found, cure, {"others": " ".join(others)})


def check_programs(host: Environment) -> Finding | None:
    """Checks whether each worker's program is beside this one; None if so, or where this one was started otherwise."""
    entry = Path(sys.argv[0])
    if entry.name != "agent-workers-entry":
        return None
    missing = [name for name in WORKERS if not entry.with_name(name).exists()]
    if not missing:
        return None
    found = f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not in {entry.parent}"
    cure = "Install this package again from its clone: pip install ."
    return Finding("programs", "warn", found, cure, {"missing": " ".join(missing)})
