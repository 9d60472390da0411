"""How a run ends whose connection was closed before the pool had told its end."""

from __future__ import annotations

import json
import uuid

from agent_workers.client.reader import EventReader, lost
from agent_workers.ending import exit_status
from agent_workers.errors import EXIT_REFUSED, BudgetExhausted, InvalidRequest, PolicyDenied, UnsupportedVersion
from agent_workers.wire import dump

_REFUSED = {BudgetExhausted.code, InvalidRequest.code, PolicyDenied.code, UnsupportedVersion.code}


def ending(last: bytes, request: bytes) -> tuple[bytes, int]:
    """Returns the line that is missing, empty where none is, and the exit status.

    Args:
        last: The last event that has come.
        request: The request, which may name the run.
    """
    reader = EventReader(_run_of(request) or str(uuid.uuid4()))
    list(reader.push(last))
    if event := reader.terminal:
        is_refused = event["seq"] == 1 and event.get("code") in _REFUSED
        return b"", EXIT_REFUSED if is_refused else exit_status(event)
    event = list(reader.end(lost()))[-1]
    return dump(event) + b"\n", exit_status(event)


def _run_of(request: bytes) -> str | None:
    try:
        run = json.loads(request)["run"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return run if isinstance(run, str) else None
