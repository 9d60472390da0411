"""Spares a start the search for plugins of pydantic, which reads every installed distribution."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

LOADER = "pydantic.plugin._loader"
"""Pydantic asks this module for plugins at its first model; the import alone takes 10 ms."""


class _NoPlugins(ModuleType):
    """Takes its place, and gives way to it as soon as it is asked for anything else."""

    @staticmethod
    def get_plugins() -> tuple[()]:
        """Returns no plugins."""
        return ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system asks for these
            raise AttributeError(name)
        if sys.modules.get(LOADER) is self:
            del sys.modules[LOADER]
        from pydantic.plugin import _loader

        return getattr(_loader, name)


def load_no_plugins() -> None:
    """Has pydantic find no plugins; called before its first model is made."""
    sys.modules.setdefault(LOADER, _NoPlugins(LOADER))
