"""What is wrong with a value that a schema describes, for a person who wrote it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from agent_workers.json_schema import validator_of
from agent_workers.json_schema.nearest import nearest
from agent_workers.json_schema.readable import readable
from agent_workers.protocol.v1.problem import Problem, pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema import ValidationError

_MAX_WORDS = 200


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


def faults(schema: dict[str, Any], tool_input: dict[str, Any]) -> list[InputFault]:
    """Returns what is wrong with the input, however long the check takes, but for patterns that Python cannot read."""
    return [_fault(problem) for problem in validator_of(readable(schema)).iter_errors(tool_input)]


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


def explained(fault: InputFault, place: tuple[str | int, ...], unknown: str) -> Iterator[Problem]:
    """Yields the fault as problems.

    Args:
        fault: What ``faults`` has found.
        place: Where the value stands in its document.
        unknown: What is said of a field that the schema does not allow.
    """
    for name in fault.unknown:
        near = next(iter(nearest(name, fault.known)), None)
        yield Problem(pointer=pointer((*place, *fault.path, name)), message=unknown, did_you_mean=near)
    if not fault.unknown:
        yield Problem(pointer=pointer((*place, *fault.path)), message=fault.words)
