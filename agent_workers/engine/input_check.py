"""Checks a tool's input against its schema; in a process of its own where that could take forever.

``python -m agent_workers.engine.input_check PARENT`` reads ``{"schema": …, "input": …}`` and writes
what is wrong.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio

from agent_workers.engine.process.prctl import end_with_parent
from agent_workers.json_schema import validator_of

if TYPE_CHECKING:
    from jsonschema import ValidationError

CHECK_S = 5
"""Seconds of a processor that the program may take; it needs a few tenths of one to start."""

_PATIENCE_S = 12 * CHECK_S  # on a machine that is busy with other things

_MAX_FAULTS = 5
_MAX_WORDS = 200
# Python's patterns can take exponential time and block everything else; references can double at each step.
_SLOW = frozenset({"pattern", "patternProperties", "$ref", "$dynamicRef", "$recursiveRef", "uniqueItems"})


class InputFault(NamedTuple):
    """Something that is wrong with an input.

    Attributes:
        path: Where it is.
        words: What it is, for a person.
        json_path: Where it is, as JSONPath.
        message: What it is, as ``jsonschema`` says it.
        unknown: The fields there that the schema does not allow.
        known: The fields there that it lists.
    """

    path: list[str | int]
    words: str
    json_path: str
    message: str
    unknown: list[str] = []  # noqa: RUF012 never changed
    known: list[str] = []  # noqa: RUF012


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
    if _is_quick(schema):
        return faults(schema, tool_input)
    return await anyio.to_thread.run_sync(_apart, schema, tool_input, abandon_on_cancel=True)


def faults(schema: dict[str, Any], tool_input: dict[str, Any]) -> list[InputFault]:
    """Returns what is wrong with the input, however long the check takes."""
    return [_fault(problem) for problem in validator_of(schema).iter_errors(tool_input)]


def _fault(problem: ValidationError) -> InputFault:
    rule: Any = problem.validator_value
    schema: Any = problem.schema
    instance: Any = problem.instance
    path, place, message = list(problem.absolute_path), problem.json_path, problem.message
    if problem.validator == "required":
        missing = next(name for name in rule if message.startswith(repr(name)))
        return InputFault([*path, missing], "is required", place, message)
    if problem.validator == "additionalProperties" and rule is False:
        known = list(schema.get("properties", ()))
        others = [re.compile(pattern) for pattern in schema.get("patternProperties", ())]
        unknown = [name for name in instance if name not in known and not any(o.search(name) for o in others)]
        return InputFault(path, "has an unknown field", place, message, unknown, known)
    return InputFault(path, _words(problem), place, message)


def _words(problem: ValidationError) -> str:
    wanted: Any = problem.validator_value
    if problem.validator == "type":
        return f"must be of the type {' or '.join(wanted) if isinstance(wanted, list) else wanted}"
    if problem.validator == "enum":
        return f"must be one of {json.dumps(wanted)[1:-1][:_MAX_WORDS]}"
    return f"does not fit: {problem.message[:_MAX_WORDS]}"


def _is_quick(schema: Any) -> bool:
    if isinstance(schema, dict):
        return not _SLOW & schema.keys() and all(map(_is_quick, schema.values()))
    return all(map(_is_quick, schema)) if isinstance(schema, list) else True


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
