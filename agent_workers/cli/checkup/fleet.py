"""The fleet's Redis, where one is named."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agent_workers.cli.checkup.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.engine.claude import Environment
    from agent_workers.fleet.probe import Found

VARIABLE = "AGENT_WORKERS_REDIS"
_SKEW_S = 2
_NAME = "fleet"


def check_fleet(host: Environment) -> list[Finding]:
    """Checks whether the fleet's Redis answers, and is as the fleet needs it; nothing where none is named."""
    url = host.environ.get(VARIABLE)
    if not url:
        return []
    try:
        from agent_workers.fleet.connection import Trouble, shown
        from agent_workers.fleet.probe import probe
    except ModuleNotFoundError as missing:
        cure = (
            "Install it: pip install 'claude-agent-workers[fleet]'; in a clone of this project: pip install '.[fleet]'."
        )
        return [Finding(_NAME, "fail", f"the extra fleet is missing ({missing.name})", cure)]
    try:
        facts = {"address": shown(url)}
        found = asyncio.run(probe(url))
    except ValueError as error:
        return [Finding(_NAME, "fail", f"{VARIABLE} is no address: {error}", f"Set {VARIABLE} to redis://HOST:PORT/0.")]
    except Trouble as error:
        cure = f"Start it, or set {VARIABLE} to the fleet's, with user and password: redis://USER:PASSWORD@HOST:PORT/0."
        return [Finding(_NAME, "fail", f"Redis at {facts['address']}: {error}", cure, facts)]
    facts |= {"version": found.version}
    told = f"Redis {found.version} at {facts['address']} answers"
    return [Finding(_NAME, "ok", told, facts=facts), *_amiss(found)]


def _amiss(found: Found) -> Iterator[Finding]:
    """Yields what an operator should mend in a Redis that answers."""
    if found.is_old:
        cure = "Install Redis 6.2 or newer: the fleet's commands are not all there."
        yield Finding("fleet_version", "fail", f"Redis is {found.version}", cure)
    if found.is_cluster:
        cure = "Name a Redis that is no cluster: a step of the fleet needs all its keys at one place."
        yield Finding("fleet_cluster", "fail", "Redis is a cluster", cure)
    if found.role != "master":
        cure = f"Name the one that takes writes in {VARIABLE}."
        yield Finding("fleet_role", "fail", "Redis is a copy of another, and takes no jobs", cure)
    if not found.appends:
        cure = "Set appendonly yes in its configuration: else jobs and events go with its process."
        yield Finding("fleet_persistence", "warn", "appendonly is off", cure)
    if found.evicts != "noeviction":
        bound = f"maxmemory is {found.memory_limit >> 20} MiB" if found.memory_limit else "maxmemory is not set today"
        cure = "Set maxmemory-policy noeviction: else jobs and events vanish where memory is short."
        yield Finding("fleet_memory", "warn", f"maxmemory-policy is {found.evicts}; {bound}", cure)
    if abs(found.ahead_s) > _SKEW_S:
        side = "ahead of" if found.ahead_s > 0 else "behind"
        cure = "Have both keep their time, as by NTP: leases and run_at go by the clock of Redis."
        told = f"the clock of Redis is {abs(found.ahead_s):.1f} s {side} this machine's"
        yield Finding("fleet_clock", "warn", told, cure, {"ahead_s": f"{found.ahead_s:.1f}"})
