"""The lines of the pool's log, as ``name=value``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_workers.pool.member import Member
    from agent_workers.pool.pool import Pool


def told_line(pool: Pool, member: Member, *, lost: bool = False, way: str = "", **end: object) -> str:
    """Returns the line of a run that has ended.

    Args:
        pool: The pool of its worker.
        member: The worker process.
        lost: Whether the process ended without a word.
        way: What served the run.
        end: What the worker has told of the end.
    """
    pid, uid = member.caller
    values = {
        "run": member.run or end.get("run") or "",
        "pool": pool.name,
        "uid": uid,
        "caller": pid,
        "worker_pid": member.pid,
        "warm": way,
        "lost": "yes" if lost else "",
        "terminal": end.get("terminal") or "",
        "code": end.get("code") or "",
        "exit": end.get("exit", ""),
        "first_delta_ms": _ms(end.get("first_delta_s")),
        "duration_ms": _ms(end.get("duration_s")),
    }
    return " ".join(f"{name}={value}" for name, value in values.items() if value != "")


def _ms(seconds: object) -> int | str:
    return round(seconds * 1000) if isinstance(seconds, float | int) else ""
