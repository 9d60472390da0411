"""What a skill's checks want, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.skills.pointers import EACH, steps_of
from agent_workers.skills.settings import (
    ConfidenceCheck,
    EvidenceCheck,
    IdsCheck,
    InInput,
    InOutput,
    RangeCheck,
    SumCheck,
    UniqueCheck,
)

if TYPE_CHECKING:
    from agent_workers.skills.settings import Check, Value


def words_of(check: Check) -> str:
    """Returns what a check wants, as one sentence without a full stop."""
    each = "each " if EACH in steps_of(check.at) else "the "
    match check:
        case EvidenceCheck():
            return f"{each}text at {check.at} is a JSON pointer to a value of the input"
        case IdsCheck():
            told = [("one", check.of), ("none", check.not_of)]
            words = [f"{which} of those at {place.input} of the input" for which, place in told if place]
            return f"{each}value at {check.at} is {' and '.join(words)}"
        case SumCheck():
            return f"the numbers at {check.at} add up to {_bounds(check)}{_tolerance(check)}"
        case RangeCheck():
            return f"{each}number at {check.at} is {_bounds(check)}"
        case UniqueCheck():
            return f"no value at {check.at} comes twice"
        case ConfidenceCheck():
            return f"the number at {check.at} tells from 0 to 1 how sure the answer is"


def _bounds(check: SumCheck | RangeCheck) -> str:
    said = [
        ("", getattr(check, "equals", None)),
        ("at least ", check.min),
        ("at most ", check.max),
    ]
    return " and ".join(f"{words}{_value(value)}" for words, value in said if value is not None) or "any number"


def _tolerance(check: SumCheck) -> str:
    usual = SumCheck.model_fields["tolerance"].default
    return "" if check.tolerance == usual else f", give or take {check.tolerance:.15g}"


def _value(value: Value) -> str:
    if isinstance(value, InInput | InOutput):
        place, name = (value.input, "input") if isinstance(value, InInput) else (value.output, "output")
        return f"{'the sum of those' if EACH in steps_of(place) else 'the number'} at {place} of the {name}"
    return f"{value:.15g}"
