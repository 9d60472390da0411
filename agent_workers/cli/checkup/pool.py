"""The pool that serves the runs of this user, where one is named."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_workers import __version__
from agent_workers.cli.checkup.finding import Finding
from agent_workers.pool.inquiry import NoStatus, ask_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.cli.checkup.finding import Status
    from agent_workers.engine.claude import Environment
    from agent_workers.pool.inquiry import Why

VARIABLE = "AGENT_WORKERS_POOL"
_NEEDED_BY_THE_POOL = {"sdk", "cli", "home", "state_dir", "config_dir", "credential", "messages"}
_COMMON = {"policy": "AGENT_WORKERS_POLICY", "state_dir": "AGENT_WORKERS_STATE_DIR"}
_WITHOUT = "until then each run starts a worker of its own"
_OPEN = (
    "Have the socket owned by a group that {user} is in (group of the pool's settings, SocketGroup under systemd), "
    "name {user} in the pool's allow_users, and open the directories above it to {user}"
)

# Why a pool does not answer: how much it matters, and the cure. A worker goes on by itself where it cannot connect.
_CURES: dict[Why, tuple[Status, str]] = {
    "missing": ("warn", f"Start it (agent-workers pool --socket {{path}}) or unset {VARIABLE}: {_WITHOUT}."),
    "not_listening": ("warn", f"Start the pool again, which takes the place of this socket: {_WITHOUT}."),
    "no_socket": ("warn", f"Set {VARIABLE} to the socket of a pool: {_WITHOUT}."),
    "out_of_reach": ("warn", f"{_OPEN}: {_WITHOUT}."),
    "busy": ("warn", f"See agent-workers pool status as the pool's user, and its log: {_WITHOUT}."),
    "silent": ("fail", "See the pool's log and restart it: until then runs wait for it."),
    "not_served": ("fail", "Name {user} in the pool's allow_users and reload it: until then each run is refused."),
    "no_pool": ("fail", f"Set {VARIABLE} to the socket of a pool: until then runs are lost there."),
}


def check_pool(host: Environment) -> list[Finding]:
    """Checks whether the pool answers this user, and what is amiss with it; nothing where none is named."""
    named = host.environ.get(VARIABLE)
    if not named:
        return []
    path = Path(named).absolute()
    facts = {"path": str(path), **_owner(path)}
    told = f"{path} ({facts['user']}:{facts['group']}, mode {facts['mode']})" if "user" in facts else str(path)
    try:
        status = ask_status(path)
    except NoStatus as error:
        weight, cure = _CURES[error.why]
        facts["why"] = error.why
        return [Finding("pool", weight, f"{told}: {error}", cure.format(path=path, user=_user()), facts)]
    facts |= {"version": str(status.get("version")), "pid": str(status.get("pid"))}
    found = f"{told} answers: " + "; ".join(f"{name}, {_agents(pool)}" for name, pool in status["pools"].items())
    return [Finding("pool", "ok", found, facts=facts), *_amiss(status, host)]


def weighed(findings: list[Finding]) -> list[Finding]:
    """Returns the findings with less weight to what only runs without the pool need, where a pool answers."""
    if not any(finding.check == "pool" and finding.status == "ok" for finding in findings):
        return findings
    return [
        replace(finding, status="warn", found=f"{finding.found} (the pool's runs do without)")
        if finding.status == "fail" and finding.check in _NEEDED_BY_THE_POOL
        else finding
        for finding in findings
    ]


def _agents(pool: dict[str, Any]) -> str:
    return f"{pool['worker']}, {pool['idle']} idle, {pool['busy']} busy, {pool['live']} live"


def _amiss(status: dict[str, Any], host: Environment) -> Iterator[Finding]:
    """Yields what an operator should mend in a pool that answers."""
    if (version := status.get("version")) != __version__:
        cure = "Restart the pool, so that it is of the same installation as this program."
        yield Finding("pool_version", "warn", f"the pool is {version}, and this program {__version__}", cure)
    if fault := status.get("fault"):
        cure = "Correct the file, and have the pool read it again: systemctl reload, or SIGHUP."
        yield Finding("pool_settings", "warn", f"as they were, for the new ones have a fault: {fault}", cure)
    if faults := [f"{name}: {pool['fault']}" for name, pool in status["pools"].items() if pool["fault"]]:
        cure = "Mend it, as the pool's user: until then each run there is cold. The pool tries again within 30 s."
        yield Finding("pool_agents", "warn", f"none can be started ahead: {'; '.join(faults)}", cure)
    elif status.get("over_memory"):
        cure = "Raise max_memory, or lower min_idle and max_live: until then each run is cold."
        yield Finding("pool_agents", "warn", "max_memory is reached: none is started ahead or kept", cure)
    if others := [words for field, name in _COMMON.items() if (words := _difference(status, field, name, host))]:
        cure = "Start the pool with what is set here: it counts for each run that the pool serves."
        yield Finding("pool_environment", "warn", "; ".join(others), cure)


def _difference(status: dict[str, Any], field: str, variable: str, host: Environment) -> str:
    own, of_pool = host.environ.get(variable) or "none", status.get(field) or "none"
    return "" if field not in status or own == of_pool else f"{variable} is {of_pool} in the pool, and {own} here"


def _owner(path: Path) -> dict[str, str]:
    try:
        found = path.stat()
    except OSError:
        return {}
    return {"user": _user(found.st_uid), "group": _group(found.st_gid), "mode": f"{stat.S_IMODE(found.st_mode):04o}"}


def _user(uid: int | None = None) -> str:
    number = os.geteuid() if uid is None else uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
