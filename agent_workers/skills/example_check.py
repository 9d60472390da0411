"""What is wrong with a skill's examples: they do not fit its schemas or its checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from agent_workers.json_schema.faults import explained, faults
from agent_workers.protocol.v1.problem import MAX_PROBLEMS, pointer
from agent_workers.skills.checks import violations
from agent_workers.skills.faults import Fault
from agent_workers.skills.load import example_files, read_example, unknown_words
from agent_workers.skills.pointers import resolve, steps_of
from agent_workers.skills.schema_paths import SchemaPaths, Unknown
from agent_workers.skills.skill import EXAMPLES, OUTPUT_SCHEMA
from agent_workers.skills.time_limit import time_limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from agent_workers.skills.settings import Check


_MOST_S = 5
"""Seconds of a processor for one value: a pattern can take exponential time, and references double at each step."""


class Rules(NamedTuple):
    """What an example must keep.

    Attributes:
        input_schema: The schema of its input; None where that is not sound.
        output_schema: The schema of its output; None where that is not sound.
        checks: What its output must keep beyond.
    """

    input_schema: dict[str, Any] | None
    output_schema: dict[str, Any] | None
    checks: Sequence[Check]


def example_faults(folder: Path, rules: Rules) -> Iterator[Fault]:
    """Yields everything that is wrong with the examples in a folder."""
    found: list[Fault] = []
    files = example_files(folder, found)
    yield from found
    if not files and not found:
        words = "has no example; write examples/NAME.json: an input, and an output that is right for it"
        yield Fault(EXAMPLES, "", words)
    for file in files:
        found = []
        document = read_example(folder, file, found)
        yield from found
        if document:
            yield from _misfits(file, document, rules)


def _misfits(file: str, document: dict[str, Any], rules: Rules) -> Iterator[Fault]:
    given, output = document.get("input"), document.get("output")
    if isinstance(given, dict):
        yield from _schema_misfits(file, "input", given, rules.input_schema)
    if not isinstance(output, dict):
        return
    misfits = list(_schema_misfits(file, "output", output, rules.output_schema))
    yield from misfits
    told = {f"{fault.pointer}/" for fault in misfits}
    for problem in violations(rules.checks, given, output) if isinstance(given, dict) else ():
        place = f"/output{problem.pointer}"
        if not any(each.startswith(f"{place}/") for each in told):
            yield Fault(file, place, f"{problem.message}; a check of the skill wants it so")
    decisive = document.get("decisive")
    for number, place in enumerate(decisive if isinstance(decisive, list) else ()):
        if words := _gone(place, output, rules.output_schema):
            yield Fault(file, pointer(("decisive", number)), words)


def _schema_misfits(file: str, name: str, value: dict[str, Any], schema: dict[str, Any] | None) -> Iterator[Fault]:
    if schema is None:
        return
    try:
        with time_limit(_MOST_S):
            found = faults(schema, value)
    except TimeoutError:
        words = f"cannot be checked within {_MOST_S} s; make the patterns and references of the {name} schema simpler"
        yield Fault(file, f"/{name}", words)
        return
    for fault in found[:MAX_PROBLEMS]:
        for problem in explained(fault, (name,), f"is no field of the {name} schema"):
            guess = f"; did you mean {problem.did_you_mean}?" if problem.did_you_mean else ""
            yield Fault(file, problem.pointer, problem.message + guess)
    if len(found) > MAX_PROBLEMS:
        yield Fault(file, f"/{name}", f"does not fit its schema in {len(found) - MAX_PROBLEMS} more places")


def _gone(place: Any, output: dict[str, Any], schema: dict[str, Any] | None) -> str | None:
    """Says why a decisive pointer compares nothing; None where it does."""
    try:
        steps = steps_of(place) if isinstance(place, str) else None
    except ValueError:
        steps = None
    if steps is None:  # told already
        return None
    known = SchemaPaths({} if schema is None else schema).find(steps)
    if isinstance(known, Unknown):
        above = pointer(steps[: known.depth]) or "the output"
        return f"leads nowhere: {unknown_words(known, above, steps[known.depth], OUTPUT_SCHEMA)}"
    if not resolve(output, place):
        return "leads to nothing in this example's output; name a place that it has"
    return None
