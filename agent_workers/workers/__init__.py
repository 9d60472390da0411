"""The registry of the workers: all that lists them reads it. A new worker is one module here and one line in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_workers.workers.base import Worker


class Registry(Mapping[str, "Worker"]):
    """The workers by their names; imports a worker's module when that worker is asked for, and no other.

    Args:
        modules: The module of each worker, by the worker's name. Each has its worker as ``WORKER``.
    """

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = modules

    def __getitem__(self, name: str) -> Worker:
        module = self._modules[name]
        worker: Worker = import_module(module).WORKER
        if worker.name != name:  # policies and sessions would take it for another
            raise ValueError(f"{module}.WORKER is called {worker.name}: call it {name}, as the registry does")
        return worker

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


WORKERS = Registry(
    {
        "agent-chat": "agent_workers.workers.chat",
        "agent-task": "agent_workers.workers.task",
        "agent-tool": "agent_workers.workers.tool",
        "agent-skill": "agent_workers.workers.skill",
    }
)

PROGRAMS = ("agent-workers", "agent-batch", *WORKERS)
"""What is installed, each as a copy of ``bin/launcher``."""


def schema_name(worker: str) -> str:
    """Returns the name of the JSON Schema of a worker's requests: ``task-request`` for ``agent-task``.

    That of the first worker, whose requests the others add to, is ``request``.
    """
    return "request" if worker == next(iter(WORKERS)) else f"{worker.removeprefix('agent-')}-request"
