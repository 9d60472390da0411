"""What a simulator answers for a skill: an example's output, bent to the input where that is another one. Pure."""

from __future__ import annotations

from copy import deepcopy
from itertools import cycle
from typing import TYPE_CHECKING, Any

from agent_workers.protocol.v1.problem import pointer
from agent_workers.skills.checks import violations
from agent_workers.skills.pointers import resolve
from agent_workers.skills.settings import EvidenceCheck, IdsCheck

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent_workers.skills.settings import Check
    from agent_workers.skills.skill import Example

_ROUNDS = 50  # a check tells ten of its violations at a time


def simulated_output(examples: Sequence[Example], checks: Sequence[Check], skill_input: Any) -> Any:
    """Returns the output of the example of this very input, else one that keeps the checks; None where there is none.

    Args:
        examples: The skill's.
        checks: What an answer must keep.
        skill_input: What it is to work on.
    """
    for each in examples:
        if each.input == skill_input:
            return each.output  # right or not: whoever tries the examples is to see it
    bent = (_bent(each.output, checks, skill_input) for each in examples)
    return next((each for each in bent if not violations(checks, skill_input, each)), None)


def _bent(output: Any, checks: Sequence[Check], skill_input: Any) -> Any:
    """Returns the output with evidence and ids that this input has."""
    output = deepcopy(output)
    for check in checks:
        values = _values(check, skill_input)
        for _ in range(_ROUNDS):
            wrong = {problem.pointer for problem in violations([check], skill_input, output)}
            places = [place for place, _ in resolve(output, check.at) if place in wrong]
            if not places:
                break
            for place in places:
                value = next(values, None)
                if value is None:
                    return output
                _put(output, place, value)
    return output


def _values(check: Check, skill_input: Any) -> Iterator[Any]:
    if isinstance(check, EvidenceCheck) and isinstance(skill_input, dict):
        return cycle(pointer((name,)) for name in skill_input)
    if isinstance(check, IdsCheck) and check.of:
        return cycle(value for _, value in resolve(skill_input, check.of.input))
    return iter(())


def _put(output: Any, place: str, value: Any) -> None:
    *steps, last = (step.replace("~1", "/").replace("~0", "~") for step in place.split("/")[1:])
    for step in steps:
        output = output[int(step)] if isinstance(output, list) else output[step]
    output[int(last) if isinstance(output, list) else last] = value
