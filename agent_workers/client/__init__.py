"""Runs workers from Python: ``ProcessRunner`` from a program that waits, ``AsyncProcessRunner`` from an event loop.

``EngineRunner`` and ``AsyncEngineRunner`` run what needs no agent inside this process, hundreds at once.

>>> from agent_workers.client import ProcessRunner
>>> ProcessRunner("agent-chat").run({"prompt": "Hello"}).text  # doctest: +SKIP
'Hello!'
"""

from agent_workers.client.aio import AsyncProcessRunner, AsyncRun, AsyncRunner
from agent_workers.client.engine import AsyncEngineRunner, EngineRunner
from agent_workers.client.errors import RunAborted, RunError, RunFailed, RunRefused
from agent_workers.client.event import Event
from agent_workers.client.fake import FakeRunner
from agent_workers.client.result import Result
from agent_workers.client.runner import ProcessRunner, Run, Runner

__all__ = [
    "AsyncEngineRunner",
    "AsyncProcessRunner",
    "AsyncRun",
    "AsyncRunner",
    "EngineRunner",
    "Event",
    "FakeRunner",
    "ProcessRunner",
    "Result",
    "Run",
    "RunAborted",
    "RunError",
    "RunFailed",
    "RunRefused",
    "Runner",
]
