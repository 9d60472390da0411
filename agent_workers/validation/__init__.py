"""Reads what goes into a worker or comes out of it, and says what is wrong with it, and where."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from agent_workers.validation.control import check_control
from agent_workers.validation.fault import Fault
from agent_workers.validation.kind import Kind, kind_of
from agent_workers.validation.request import check_request
from agent_workers.validation.stream import check_stream
from agent_workers.workers import chat, task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Fault", "Kind", "check"]

_CHECKS: dict[Kind, Callable[[bytes], Iterator[Fault]]] = {
    "request": partial(check_request, worker=chat.WORKER),
    "task-request": partial(check_request, worker=task.WORKER),
    "events": check_stream,
    "control": check_control,
}


def check(data: bytes, kind: Kind | Literal["auto"]) -> tuple[Kind, list[Fault]]:
    """Returns what the data was read as, and every fault in the order of its lines."""
    read_as = kind_of(data) if kind == "auto" else kind
    return read_as, list(_CHECKS[read_as](data))
