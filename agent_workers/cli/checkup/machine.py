"""The interpreter, the operating system and the user's own directories."""

from __future__ import annotations

import ctypes
import platform
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent_workers.cli.checkup.finding import Finding
from agent_workers.engine.process.scratch import make_scratch, remove_scratch
from agent_workers.errors import StateUnavailable

if TYPE_CHECKING:
    from agent_workers.engine.claude import Environment

_OLDEST, _NEWEST = (3, 11), (3, 13)
_PR_GET_PDEATHSIG, _PR_SET_PDEATHSIG = 2, 1  # <linux/prctl.h>
_PROXIES = re.compile(r"(?:https?|all|no)_proxy", re.IGNORECASE)


def check_python(host: Environment) -> Finding:
    """Checks the version of Python, which the workers share."""
    version = platform.python_version()
    facts = {"version": version, "executable": sys.executable}
    if _OLDEST <= sys.version_info[:2] <= _NEWEST:
        return Finding("python", "ok", version, facts=facts)
    return Finding("python", "fail", version, "Install agent-workers with Python 3.11, 3.12 or 3.13.", facts)


def check_parent_death(host: Environment) -> Finding:
    """Checks whether the agent's processes end when the worker is killed with SIGKILL."""
    name = "parent_death"
    if sys.platform != "linux":
        lost = "If a worker is killed by SIGKILL, end its claude process by hand."
        return Finding(name, "warn", f"{sys.platform} cannot tie the agent to the worker", lost)
    if not Path("/proc/self/environ").exists():
        return Finding(name, "fail", "/proc is not mounted", "Mount /proc: mount -t proc proc /proc.")
    if not _prctl_works():
        return Finding(name, "warn", "prctl is not allowed", "Allow prctl in the sandbox's system call filter.")
    return Finding(name, "ok", "the agent ends with its worker")


def _prctl_works() -> bool:
    prctl = ctypes.CDLL(None).prctl
    present = ctypes.c_int()
    can_ask = prctl(_PR_GET_PDEATHSIG, ctypes.byref(present), 0, 0, 0) == 0
    return bool(can_ask and prctl(_PR_SET_PDEATHSIG, present.value, 0, 0, 0) == 0)


def check_home(host: Environment) -> Finding:
    """Checks the user's home; without one, the agent's home is in the state directory."""
    if home := host.home():
        return Finding("home", "ok", str(home), facts={"path": str(home)})
    named = host.environ.get("HOME")
    found = f"{named} is not writable for this user" if named else "HOME is not set"
    if host.environ.get("AGENT_WORKERS_STATE_DIR"):
        return Finding("home", "ok", f"{found}; the agent's home is in the state directory")
    cure = "Set AGENT_WORKERS_STATE_DIR to a directory that this user owns; the agent's home is then made there."
    return Finding("home", "warn" if host.environ.get("XDG_STATE_HOME") else "fail", found, cure)


def check_temporary_dir(host: Environment) -> Finding:
    """Checks the directory for the temporary files of each run."""
    place = host.environ.get("TMPDIR") or "/tmp"  # noqa: S108 as the worker itself
    facts = {"path": place, "chosen_by": "TMPDIR" if host.environ.get("TMPDIR") else "default"}
    try:
        remove_scratch(make_scratch(host.temporary_dir()))
    except StateUnavailable as error:
        cure = "Set TMPDIR to a directory that this user can write."
        return Finding("temporary_dir", "fail", str(error.cause), cure, facts)
    return Finding("temporary_dir", "ok", place, facts=facts)


def check_proxies(host: Environment) -> Finding:
    """Lists the proxy variables by name; their values may hold passwords."""
    names = sorted(name for name, value in host.environ.items() if value and _PROXIES.fullmatch(name))
    return Finding("proxies", "ok", ", ".join(names) or "none", facts={"variables": " ".join(names)})
