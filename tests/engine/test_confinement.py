"""What a confined process can still do to others, tried as a user without capabilities."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.waiting import PATIENCE_S

NOBODY = 65534
ATTEMPTS = """
import os, signal, subprocess, sys
from agent_workers.engine.process.confinement import confine
confine()
victim = int(sys.argv[1])
for name, attempt in {
    "environ": lambda: open(f"/proc/{victim}/environ", "rb").read(),
    "fd": lambda: os.readlink(f"/proc/{victim}/fd/0"),
    "signal": lambda: os.kill(victim, 0),
}.items():
    try:
        attempt()
    except PermissionError:
        print(name, "denied")
own = subprocess.Popen(["sleep", "30"])
own.terminate()
print("own", own.wait())
"""


def test_a_confined_process_reaches_its_own_processes_and_no_other() -> None:
    release = tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
    if release < (6, 12):
        pytest.skip("this kernel cannot confine processes so")
    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]
    if os.getuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root can become another user")
    with subprocess.Popen([*as_nobody, "sleep", "60"], env={"PATH": os.environ["PATH"]}) as victim:
        command = [*as_nobody, sys.executable, "-c", ATTEMPTS, str(victim.pid)]
        tried = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, cwd="/", check=False)
        victim.kill()
    if "PermissionError" in tried.stderr and not tried.stdout:
        pytest.skip("the installation is not readable for other users")
    assert tried.stdout.split("\n")[:4] == ["environ denied", "fd denied", "signal denied", "own -15"], tried.stderr
