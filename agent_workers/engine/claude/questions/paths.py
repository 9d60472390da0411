"""Finds where a call of a file tool leads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_workers.protocol.v1.tools import BUILT_IN_TOOLS

if TYPE_CHECKING:
    from collections.abc import Sequence


def stays_within(directories: Sequence[str], name: str, tool_input: dict[str, Any]) -> bool:
    """Tells whether the call reaches no file outside the directories, links followed. True for other tools.

    Args:
        directories: Real paths, the working directory first.
        name: The tool's name.
        tool_input: The call's input.
    """
    tool = BUILT_IN_TOOLS.get(name)
    if tool is None or tool.path is None:
        return True
    if name == "Glob" and _leads_away(tool_input.get("pattern")):
        return False
    place = tool_input.get(tool.path, ".")
    if not isinstance(place, str) or place.startswith("~"):
        return False
    real = Path(os.path.realpath(os.path.join(directories[0], place)))  # noqa: PTH118 as the CLI does
    return any(real.is_relative_to(directory) for directory in directories)


def _leads_away(pattern: object) -> bool:
    return not isinstance(pattern, str) or pattern.startswith(("/", "~")) or ".." in pattern
