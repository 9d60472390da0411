"""What the pool tells of itself, as one JSON object."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import anyio

from agent_workers import __version__

if TYPE_CHECKING:
    from agent_workers.pool.figures import Times
    from agent_workers.pool.member import Member
    from agent_workers.pool.pool import Pool
    from agent_workers.pool.pools import Pools

_ASK_S = 0.2


async def status_line(pools: Pools) -> bytes:
    """Returns the status as a line."""
    await ask_memory(pools)
    return json.dumps(status_of(pools)).encode() + b"\n"


async def ask_memory(pools: Pools) -> None:
    """Asks all processes that wait what they take of the memory, and gives them a moment to tell."""
    waiting = [member for member in pools.everyone if member.state in {"idle", "live"}]
    for member in waiting:
        member.ask_memory()
    if waiting:
        await anyio.sleep(_ASK_S)


def status_of(pools: Pools) -> dict[str, Any]:
    """Returns the status."""
    return {
        "pool": 1,
        "version": __version__,
        "pid": os.getpid(),
        "uptime_s": _since(pools.began),
        "settings_s": _since(pools.set_up),
        "fault": pools.fault or None,
        "policy": pools.settings.policy or os.environ.get("AGENT_WORKERS_POLICY"),
        "state_dir": os.environ.get("AGENT_WORKERS_STATE_DIR"),
        "max": pools.settings.max,
        "max_memory": pools.settings.memory_bound,
        "processes": len(pools.everyone),
        "earlier": len(pools.everyone) - len(pools.members),
        "memory": sum(member.memory for member in pools.everyone),
        "over_memory": pools.is_over_memory,
        "pools": {name: _pool(pool) for name, pool in pools.pools.items()},
    }


def _pool(pool: Pool) -> dict[str, Any]:
    figures = pool.figures
    return {
        "worker": pool.table.worker,
        "model": pool.table.model,
        "max": pool.table.max,
        "min_idle": pool.table.min_idle,
        "max_live": pool.table.max_live,
        "idle": len(pool.of_state("idle", "starting")),
        "starting": len(pool.of_state("starting")),
        "busy": len(pool.of_state("busy")),
        "live": len(pool.of_state("live")),
        "ending": len(pool.of_state("ending")),
        "waiting": pool.waiting,
        "memory": sum(member.memory for member in pool.members),
        "served": dict(figures.served),
        "cold": dict(figures.cold),
        "ended": [{"terminal": t, "code": code, "count": n} for (t, code), n in sorted(figures.ended.items())],
        "refused": dict(figures.refused),
        "lost": figures.lost,
        "first_delta": {way: _times(times) for way, times in figures.first_delta.items()},
        "uptime_s": _since(figures.began),
        "fault": pool.fault or None,
        "processes": [_member(member) for member in sorted(pool.members, key=lambda member: member.pid)],
    }


def _times(times: Times) -> dict[str, Any]:
    if not times.count:
        return {"count": 0, "mean_ms": None, "p50_ms": None, "p95_ms": None}
    return {
        "count": times.count,
        "mean_ms": round(1000 * times.sum_s / times.count),
        "p50_ms": round(1000 * times.recent_below(0.5)),
        "p95_ms": round(1000 * times.recent_below(0.95)),
    }


def _member(member: Member) -> dict[str, Any]:
    return {
        "pid": member.pid,
        "state": member.state,
        "for_s": _since(member.since),
        "memory": member.memory,
        "run": member.run or None,
        "uid": member.caller[1] if member.run else None,
    }


def _since(moment: float) -> float:
    return round(time.monotonic() - moment, 3)
