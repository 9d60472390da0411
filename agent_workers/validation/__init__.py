"""Reads what goes into a worker or comes out of it, and says what is wrong with it, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.validation.control import check_control
from agent_workers.validation.fault import Fault
from agent_workers.validation.job import check_job
from agent_workers.validation.kind import kind_of
from agent_workers.validation.request import check_request
from agent_workers.validation.stream import check_stream
from agent_workers.workers import WORKERS, schema_name

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Fault", "check"]


def check(data: bytes, kind: str) -> tuple[str, list[Fault]]:
    """Reads data and finds what is wrong with it.

    Args:
        data: A request, a job, a run's events or control messages.
        kind: ``events``, ``control``, ``job``, the schema's name of a worker's requests, or ``auto`` for what it looks
            like.

    Returns:
        What it was read as, and every fault in the order of its lines.
    """
    read_as = kind_of(data) if kind == "auto" else kind
    return read_as, list(_check(data, read_as))


def _check(data: bytes, kind: str) -> Iterator[Fault]:
    if kind == "events":
        return check_stream(data)
    if kind == "control":
        return check_control(data)
    if kind == "job":
        return check_job(data)
    [worker] = [WORKERS[name] for name in WORKERS if schema_name(name) == kind]
    return check_request(data, worker)
