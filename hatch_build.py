"""Installs the launcher once for each program."""

from __future__ import annotations

import shutil
from pathlib import Path
from runpy import run_path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Programs(BuildHookInterface):
    """Makes the wheel's scripts. The wheel takes each from a file of its own, so the launcher is copied."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds a copy of the launcher under the name of each program."""
        root = Path(self.root)
        # The registry's file alone: the package's dependencies are not there while it is built.
        programs = run_path(str(root / "agent_workers/workers/__init__.py"))["PROGRAMS"]
        self._copies = TemporaryDirectory()
        for program in programs:
            copy = shutil.copy(root / "bin/launcher", Path(self._copies.name, program))
            build_data["shared_scripts"][str(copy)] = program

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Removes the copies."""
        self._copies.cleanup()
