"""Go, for what the tests build and run with it: without network, and with one cache beside the tests' packages."""

import os
import subprocess
import sys
from pathlib import Path

from tests.waiting import PATIENCE_S

GO_ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GOCACHE": str(Path(sys.prefix) / "go-build"),
    "GOFLAGS": "-mod=mod",
    "GOPROXY": "off",
}


def go(*words: str, cwd: Path, program: str = "go") -> str:
    """Runs a command of Go; returns what it has written, to stderr too."""
    ran = subprocess.run(
        [program, *words],
        cwd=cwd,
        env=GO_ENV,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout
