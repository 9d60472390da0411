"""Programs on a host that lacks a package."""

import sys

_PROGRAM = """
import runpy, sys
from importlib.machinery import PathFinder

lacks, *sys.argv = sys.argv[1:]

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] == lacks else super().find_spec(name, path, target)

sys.meta_path[:] = [Without if finder is PathFinder else finder for finder in sys.meta_path]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def where_missing(package: str, program: str) -> list[str]:
    """Returns the beginning of a command that runs a Python program where a package is not installed."""
    return [sys.executable, "-c", _PROGRAM, package, program]
