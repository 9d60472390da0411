"""A job, as the queue and then its worker would read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.admission import accept
from agent_workers.protocol.v1.job import parse_job
from agent_workers.validation.request import faults_of
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.validation.fault import Fault

OWN_FIELDS = frozenset({"worker", "queue"})
"""What tells a job from a request."""


def check_job(data: bytes) -> Iterator[Fault]:
    """Yields every fault of one job, on one line or many."""
    return faults_of(data, _accept)


def _accept(document: Any) -> None:
    job = parse_job(document, WORKERS)
    accept(WORKERS[job.worker], job.request)
