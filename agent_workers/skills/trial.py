"""Tries of a skill's examples: what an answer should have in common with the example's, and what it does not. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from agent_workers.skills.checks import key_of, violations
from agent_workers.skills.pointers import EACH, resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_workers.protocol.v1.problem import Problem
    from agent_workers.skills.skill import Example, Skill

_CLOSE = 0.1


class Difference(NamedTuple):
    """A decisive place at which an answer differs from its example.

    Attributes:
        pointer: The place; with ``*`` all that it leads to.
        expected: The example's values there; none where there is nothing.
        found: The answer's.
    """

    pointer: str
    expected: list[Any]
    found: list[Any]


class Status(StrEnum):
    """How a try has ended."""

    PASSED = "passed"
    DIFFERS = "differs"
    """It came to an answer, which is not as it should be."""
    FAILED = "failed"
    """It came to none."""
    REFUSED = "refused"
    """Nothing ran."""


class Try(NamedTuple):
    """One run of an example.

    Attributes:
        example: The example's name.
        number: Which run of it, from 1.
        status: How it has ended.
        differences: Decisive places that differ.
        problems: What breaks the skill's schema or checks, or why there is no answer.
        code: The error's code; None where there is none.
        message: The error's text; empty where there is none.
        run: Its id; None where there was none.
        models: The models that answered.
        needs_review: Whether the skill would have a person look at it; None where it does not say.
        cost_usd: What it has cost; None where that is not known.
    """

    example: str
    number: int
    status: Status
    differences: tuple[Difference, ...] = ()
    problems: tuple[Problem, ...] = ()
    code: str | None = None
    message: str = ""
    run: str | None = None
    models: tuple[str, ...] = ()
    needs_review: bool | None = None
    cost_usd: float | None = None


class Rate(NamedTuple):
    """How many of some tries have passed."""

    passed: int
    of: int

    @property
    def share(self) -> float:
        """From 0 to 1; 0 where nothing was tried."""
        return self.passed / self.of if self.of else 0.0


def answered(skill: Skill, example: Example, output: Any, *, live: bool) -> tuple[list[Difference], list[Problem]]:
    """Returns what differs, and what is broken, of an answer to an example's input.

    Args:
        skill: The skill.
        example: The example.
        output: The answer.
        live: Whether a model has answered, so that the decisive places tell something.
    """
    problems = [*_misfits(skill.output_schema, output), *violations(skill.settings.checks, example.input, output)]
    return differences(example, output) if live else [], problems


def differences(example: Example, output: Any) -> list[Difference]:
    """Returns the decisive places at which an answer differs from the example.

    A place with ``*`` is the same where both have the same values there, in any order and however often. Whole numbers
    must be equal, numbers with a fraction may be a tenth apart: 0.7 and 0.8 are the same score.
    """
    places = ((place, _at(example.output, place), _at(output, place)) for place in example.decisive)
    return [Difference(*each) for each in places if not _alike(*each)]


def rate(tries: Sequence[Try], example: str | None = None) -> Rate:
    """Returns how many tries have passed, of one example or of all."""
    counted = [each for each in tries if example in (None, each.example)]
    return Rate(sum(each.status == Status.PASSED for each in counted), len(counted))


def _at(document: Any, place: str) -> list[Any]:
    return [value for _, value in resolve(document, place)]


def _alike(place: str, expected: list[Any], found: list[Any]) -> bool:
    if EACH in place.split("/"):
        return _contains(found, expected) and _contains(expected, found)
    return len(expected) == len(found) and all(map(_same, expected, found))


def _contains(values: list[Any], others: list[Any]) -> bool:
    known = {key_of(value) for value in values}
    fractions = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    return all(key_of(other) in known or any(_same(other, value) for value in fractions) for other in others)


def _same(one: Any, other: Any) -> bool:
    numbers = [each for each in (one, other) if isinstance(each, int | float) and not isinstance(each, bool)]
    if len(numbers) == 2 and any(each != each // 1 for each in numbers):  # noqa: PLR2004 both
        return bool(abs(one - other) <= _CLOSE * max(1, abs(one), abs(other)) + 1e-9)
    return bool(key_of(one) == key_of(other))


def _misfits(schema: dict[str, Any], output: Any) -> list[Problem]:
    from agent_workers.json_schema.faults import explained, faults

    return [
        problem for fault in faults(schema, output) for problem in explained(fault, (), "is no field of the output")
    ]
