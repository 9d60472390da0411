"""An agent that is started as soon as its request is there: what checks the request is imported while it boots.

It is told nothing before the request has been checked, and a request that is refused after all leaves nothing of it.
"""

from __future__ import annotations

import json
import os
import select
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from agent_workers.engine.base import WorkerDefaults
    from agent_workers.engine.claude.ahead import WaitingAgent
    from agent_workers.protocol.v1.request import Request

_POLICY = "AGENT_WORKERS_POLICY"  # the module admission takes long to import
_STANDARD = range(3)
_CHUNK = 1 << 16
_MOST = 1 << 20
"""Bytes of a request that is looked at twice."""
# Nothing of these decides what the agent may use, or which agent it is; that is left to requests with other fields.
_PLAIN = {
    *("v", "run", "prompt", "system_prompt", "model", "fallback_model", "max_turns", "thinking", "session_owner"),
    *("limits", "stream", "output_schema", "metadata", "subject", "user", "goal"),
    *("attempt", "traceparent"),
}


class Early(NamedTuple):
    """What a worker has done before it has imported what checks a request.

    Attributes:
        read: What it has read of stdin.
        environ: The host's variables; a copy, where the process has forgotten its secrets.
        agent: The agent that waits for the request; None where none does.
    """

    read: bytes = b""
    environ: Mapping[str, str] = os.environ
    agent: WaitingAgent | None = None


def start_early(worker: WorkerDefaults, *, control: bool) -> Early:
    """Starts the agent of a plain request that is there already; stop signals must be held.

    Args:
        worker: The worker's part, of one whose requests have no tools.
        control: Whether the request is the first line of stdin, and not all of it.
    """
    if os.environ.get(_POLICY) or not all(map(_is_open, _STANDARD)):  # a file would take the number of one
        return Early()
    read, is_whole = _read_what_is_there(control=control)
    request = _stand_in(read.lstrip().partition(b"\n")[0] if control else read) if is_whole else None
    if request is None:
        return Early(read)
    from agent_workers.engine.claude.ahead import WaitingAgent  # only where one is started
    from agent_workers.engine.host.credentials import forget_secrets
    from agent_workers.engine.host.environment import Environment
    from agent_workers.engine.process.prctl import hide_from_others

    hide_from_others()  # before there is a copy of the secrets
    environ = dict(os.environ)
    forget_secrets(os.environ)
    with suppress(Exception):  # the run meets it again, and tells it
        return Early(read, environ, WaitingAgent(request, Environment(environ), worker))
    return Early(read, environ)


def _read_what_is_there(*, control: bool) -> tuple[bytes, bool]:
    """Reads stdin without waiting; returns what it holds, and whether the whole request is in it."""
    data = b""
    with suppress(OSError):  # told when it is read again
        while len(data) <= _MOST and not os.isatty(0) and select.select([0], [], [], 0)[0]:
            chunk = os.read(0, _CHUNK)
            data += chunk
            if not chunk:
                return data, not control
            if control and b"\n" in data.lstrip():
                return data, True
    return data, False


def _stand_in(data: bytes) -> Request | None:
    """Returns what starts an agent that will fit the request; None where the request may need another one."""
    try:
        document = json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not document.keys() <= _PLAIN or not _asks(document.get("prompt")):
        return None
    limits, stream = document.get("limits", {}), document.get("stream", {})
    if not isinstance(limits, dict) or "max_budget_usd" in limits or not isinstance(stream, dict):
        return None
    texts = {name: document.get(name) for name in ("model", "fallback_model", "session_owner", "traceparent")}
    turns, partial = document.get("max_turns"), stream.get("partial", True)
    if not all(text is None or isinstance(text, str) for text in texts.values()):
        return None
    if type(turns) not in (int, type(None)) or not isinstance(partial, bool):
        return None
    no_tools: dict[str, Any] = {"has_tools": False, "tools": [], "app_tools": None}
    stand_in = SimpleNamespace(
        **texts,
        **no_tools,
        prompt="",
        session=None,
        max_turns=turns,
        limits=SimpleNamespace(max_budget_usd=None),
        stream=SimpleNamespace(partial=partial),
    )
    return cast("Request", stand_in)  # all that the start of an agent reads of one


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _asks(prompt: object) -> bool:
    """Tells whether a prompt may be one: blanks alone are none, and not worth an agent."""
    if isinstance(prompt, list):
        return any(
            isinstance(block, dict) and (block.get("type") != "text" or _asks(block.get("text"))) for block in prompt
        )
    return isinstance(prompt, str) and bool(prompt.strip())


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
