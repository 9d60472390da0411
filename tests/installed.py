"""The package installed into an environment of its own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.waiting import PATIENCE_S


class Environment:
    """A virtual environment that finds the packages of this one after its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root)], check=True, timeout=PATIENCE_S)
        [self.site] = root.glob("lib/python3*/site-packages")
        others = next(path for path in map(Path, sys.path) if path.name == "site-packages")
        (self.site / "others.pth").write_text(f"{others}\n")

    def install(self, *what: str) -> None:
        pip = [str(self.root / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        # Nothing is compiled that no test starts.
        command = [*pip, "--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed", "--no-compile"]
        subprocess.run([*command, *what], check=True, timeout=2 * PATIENCE_S, capture_output=True)

    def run(self, program: str, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        environ = {"PATH": os.defpath, "HOME": str(self.root), "ANTHROPIC_API_KEY": "dummy"}
        command = [str(self.root / "bin" / program), *arguments]
        return subprocess.run(
            command, input=given, env=environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
