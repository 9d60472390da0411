"""The worker of examples/node, built for the tests."""

import shutil
import subprocess
from pathlib import Path

from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples/node"


def built(folder: Path) -> Path:
    """Builds a copy of the example with the packages that `make` has installed; returns its program."""
    copy = folder / "examples/node"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (copy / "node_modules").symlink_to(EXAMPLE / "node_modules")
    (folder / "schemas").symlink_to(ROOT / "schemas")
    build = ["npm", "run", "build"]
    ran = subprocess.run(build, cwd=copy, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ran.returncode == 0, ran.stdout
    return copy / "dist/worker.js"
