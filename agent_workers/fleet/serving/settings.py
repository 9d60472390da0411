"""What a process of the fleet is told at its start."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent_workers.fleet.fleet import DEAD_S, KEEP_S
from agent_workers.fleet.keys import DEFAULT_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_OWN = ("AGENT_WORKERS_REDIS", "REDIS_URL", "REDIS_PASSWORD", "AGENT_WORKERS_RECORDS")


def _name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


@dataclass(frozen=True, slots=True)
class WorkSettings:
    """One process of the fleet.

    Attributes:
        redis: Address of Redis.
        queues: How many jobs of each queue it runs at once.
        prefix: What the fleet's keys begin with.
        host: What it is called, among all processes of the fleet.
        lease_s: Seconds after which the jobs of a process that has gone are taken from it.
        grace_s: Seconds that running jobs get to end when the process is stopped.
        keep_s: Seconds that a run's events are kept after its end.
        dead_s: Seconds that the job of one that failed for good is kept.
        credentials: Folder with a file for each credential, called as jobs call it; None for none.
        sessions: Where conversations are stored: ``redis:``, or ``file:///path`` of a folder that all share.
        listen: Address of health and metrics, such as ``127.0.0.1:9464``; None for none.
        traces: Whether attempts are traced, by OpenTelemetry.
        policy: Path of the host's policy; None for the environment's.
        workers: Command lines of workers that the operator adds, or puts in the place of others.
        records: Whether runs are recorded, in the database that ``AGENT_WORKERS_RECORDS`` names.
    """

    redis: str
    queues: Mapping[str, int]
    prefix: str = DEFAULT_PREFIX
    host: str = field(default_factory=_name)
    lease_s: float = 30
    grace_s: float = 30
    keep_s: float = KEEP_S
    dead_s: float = DEAD_S
    credentials: Path | None = None
    sessions: str = "redis:"
    listen: str | None = None
    traces: bool = False
    policy: str | None = None
    workers: Mapping[str, list[str]] = field(default_factory=dict)
    records: bool = False

    @property
    def lease_ms(self) -> int:
        """The lease in milliseconds."""
        return round(self.lease_s * 1000)

    def environment(self) -> dict[str, str]:
        """Returns the environment of the workers: this process's, without what only the fleet needs."""
        return {name: value for name, value in os.environ.items() if name not in _OWN}
