"""Whose files lie where this package does."""

from __future__ import annotations

from importlib.metadata import distributions
from typing import TYPE_CHECKING

from agent_workers.cli.checkup.finding import Finding

if TYPE_CHECKING:
    from agent_workers.engine.claude import Environment

_OURS = "claude-agent-workers"
_PACKAGE = "agent_workers/__init__.py"


def check_distribution(host: Environment) -> Finding | None:
    """Whether another distribution brings a package of the same name, as PyPI's ``agent-workers`` does; None if not."""
    others = sorted(
        {each.name for each in distributions() if each.name != _OURS and _PACKAGE in map(str, each.files or ())}
    )
    if not others:
        return None
    cure = f"pip uninstall {' '.join(others)} {_OURS}, then install this one again from its clone: pip install ."
    found = f"{', '.join(others)} brings files of the same names: whichever is installed or removed last decides"
    return Finding("distribution", "warn", found, cure, {"others": " ".join(others)})
