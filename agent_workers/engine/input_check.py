"""Checks a tool's input against its schema; in a process of its own where that could take forever.

``python -m agent_workers.engine.input_check PARENT`` reads ``{"schema": …, "input": …}`` and writes
what is wrong.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

import anyio

from agent_workers.engine.process.prctl import end_with_parent
from agent_workers.json_schema.faults import InputFault, faults

CHECK_S = 5
"""Seconds of a processor that the program may take; it needs a few tenths of one to start."""

_PATIENCE_S = 12 * CHECK_S  # on a machine that is busy with other things

_MAX_FAULTS = 5
_MAX_WORDS = 200
# Python's patterns can take exponential time and block everything else; references can double at each step.
_SLOW = frozenset({"pattern", "patternProperties", "$ref", "$dynamicRef", "$recursiveRef", "uniqueItems"})


async def check_input(schema: dict[str, Any], tool_input: dict[str, Any]) -> str:
    """Returns what is wrong with the input, in words for the model; empty for nothing.

    Raises:
        TimeoutError: The check took more than ``CHECK_S`` seconds.
    """
    found = [f"{fault.json_path}: {fault.message[:_MAX_WORDS]}" for fault in await find_faults(schema, tool_input)]
    more = f" And {len(found) - _MAX_FAULTS} more." if len(found) > _MAX_FAULTS else ""
    return "; ".join(found[:_MAX_FAULTS]) + more


async def find_faults(schema: dict[str, Any], tool_input: dict[str, Any]) -> list[InputFault]:
    """Returns what is wrong with the input, for a person who wrote it.

    Raises:
        TimeoutError: The check took more than ``CHECK_S`` seconds.
    """
    if is_quick(schema):
        return faults(schema, tool_input)
    return await anyio.to_thread.run_sync(_apart, schema, tool_input, abandon_on_cancel=True)


def find_faults_now(schema: dict[str, Any], tool_input: dict[str, Any]) -> list[InputFault]:
    """Does what ``find_faults`` does where no event loop runs yet."""
    return faults(schema, tool_input) if is_quick(schema) else _apart(schema, tool_input)


def is_quick(schema: Any) -> bool:
    """Tells whether no value takes long to be checked against a schema."""
    if isinstance(schema, dict):
        return not _SLOW & schema.keys() and all(map(is_quick, schema.values()))
    return all(map(is_quick, schema)) if isinstance(schema, list) else True


def _apart(schema: dict[str, Any], tool_input: dict[str, Any]) -> list[InputFault]:
    document = json.dumps({"schema": schema, "input": tool_input}).encode()
    command = [sys.executable, "-EP", "-m", __name__, str(os.getpid())]
    try:
        checked = subprocess.run(command, input=document, capture_output=True, timeout=_PATIENCE_S, check=True)
    except subprocess.TimeoutExpired as expired:
        raise TimeoutError from expired
    except subprocess.CalledProcessError as ended:
        if ended.returncode == -signal.SIGPROF:
            raise TimeoutError from ended
        raise
    return [InputFault(*fault) for fault in json.loads(checked.stdout)]


if __name__ == "__main__":
    signal.setitimer(signal.ITIMER_PROF, CHECK_S)  # it counts the processor's time, and its signal ends this program
    end_with_parent(signal.SIGKILL)
    if os.getppid() != int(sys.argv[1]):  # it ended before the call above
        sys.exit(1)
    asked = json.load(sys.stdin)
    sys.stdout.write(json.dumps(faults(asked["schema"], asked["input"])))
