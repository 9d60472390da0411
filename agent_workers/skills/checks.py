"""What an answer must keep beyond its schema, by the checks that a skill declares. Pure.

What is said of a violation goes back to the model. So it quotes nothing of the input but numbers: a text there could be
written to steer the model, and would stand outside the block that marks it as data.

A value that is absent breaks no check, and null counts as absent: whether it may be is the schema's to say.
"""

from __future__ import annotations

import json
import math
import operator
from typing import TYPE_CHECKING, Any, NamedTuple

from agent_workers.protocol.v1.problem import Problem, capped
from agent_workers.skills.pointers import EACH, before_each, resolve, steps_of, walk, way
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
    from collections.abc import Iterator, Sequence

    from agent_workers.skills.settings import Check, Value

_MOST_OF_A_CHECK = 10
_LONGEST_QUOTE = 60
_LONGEST_POINTER = 300
_LONGEST_MESSAGE = 400
_ROUNDING = 1e-15
"""How far two sums of the same numbers may be apart, as a share of them: less than a cent of a trillion."""


class _Violation(NamedTuple):
    place: str
    words: str


class _Documents(NamedTuple):
    input: Any
    output: Any


class _Number(NamedTuple):
    value: float
    words: str


def violations(checks: Sequence[Check], skill_input: Any, output: Any) -> list[Problem]:
    """Returns what is wrong with an answer, each with a pointer into it; of many of one kind the first and a count.

    Args:
        checks: What the answer must keep.
        skill_input: What it is an answer to.
        output: The answer, which satisfies the output schema.
    """
    documents = _Documents(skill_input, output)
    found = [each for check in checks for each in _shortened(check, _of(check, documents))]
    return capped(found, _problem)


def _of(check: Check, documents: _Documents) -> list[_Violation]:
    try:
        return list(_broken(check, documents))
    except RecursionError:
        return [_Violation(before_each(check.at), "is nested too deeply")]


def _broken(check: Check, documents: _Documents) -> Iterator[_Violation]:
    found, strays = walk(documents.output, check.at)
    yield from (_Violation(place, f"must be a list or an object, {_but(value)}") for place, value in strays)
    present = [(place, value) for place, value in found if value is not None]
    match check:
        case EvidenceCheck():
            yield from _evidence(present, documents.input)
        case IdsCheck():
            yield from _ids(present, documents.input, check.of.input) if check.of else ()
            yield from _foreign(present, documents.input, check.not_of.input) if check.not_of else ()
        case SumCheck():
            yield from _sum(check, present, documents) if not strays else ()
        case RangeCheck():
            yield from _range(check, present, documents)
        case UniqueCheck():
            yield from _unique(present)
        case ConfidenceCheck():
            yield from _confidence(present)


def _evidence(present: list[tuple[str, Any]], skill_input: Any) -> Iterator[_Violation]:
    for place, value in present:
        if words := _no_evidence(value, skill_input):
            yield _Violation(place, words)


def _no_evidence(value: Any, skill_input: Any) -> str | None:
    if not isinstance(value, str):
        return f"must be text: a JSON pointer into the input, {_but(value)}"
    if not value:
        return "must be a JSON pointer to a value within the input; empty it names all of it"
    try:
        steps = steps_of(value)
    except ValueError as fault:
        return f"must be a JSON pointer into the input, {_but(value)}: {fault}"
    if EACH in steps:
        return f"must be a JSON pointer to one value of the input, {_but(value)}: name the items that count, not *"
    gone = way(skill_input, steps)
    if gone == len(steps):
        return None
    # The way up to here is the answer's own text, so nothing of the input is told by it.
    before = "/".join(value.split("/")[: gone + 1])
    where = _quoted(before)[1:-1] if before else "its top"
    words = f"must be a JSON pointer to a value that is in the input, {_but(value)}"
    return f"{words}: there is no {_quoted(steps[gone])} at {where}"


def _ids(present: list[tuple[str, Any]], skill_input: Any, of: str) -> Iterator[_Violation]:
    known = {key_of(value) for _, value in resolve(skill_input, of)} if present else set()
    none = "" if known else "; the input has none there, so leave it out"
    for place, value in present:
        if key_of(value) not in known:
            yield _Violation(place, f"must be one of the ids at {_cut(of)} of the input, {_but(value)}{none}")


def _foreign(present: list[tuple[str, Any]], skill_input: Any, not_of: str) -> Iterator[_Violation]:
    known = {key_of(value) for _, value in resolve(skill_input, not_of)} if present else set()
    for place, value in present:
        if key_of(value) in known:
            yield _Violation(place, f"must be none of the ids at {_cut(not_of)} of the input, {_but(value)}")


def _sum(check: SumCheck, present: list[tuple[str, Any]], documents: _Documents) -> Iterator[_Violation]:
    begin = before_each(check.at)
    if all(value is None for _, value in resolve(documents.output, begin)):
        return
    numbers = [_number(value) for _, value in present]
    odd = [_no_number(place, value) for (place, value), number in zip(present, numbers, strict=True) if number is None]
    yield from odd
    limits = [
        ("", check.equals, operator.eq),
        ("at least ", check.min, operator.ge),
        ("at most ", check.max, operator.le),
    ]
    bounds = [(words, bound, keeps) for words, value, keeps in limits for bound in _bounds(value, documents)]
    yield from (bound for _, bound, _ in bounds if isinstance(bound, _Violation))
    if odd:
        return
    total = _total([number for number in numbers if number is not None])
    for words, bound, keeps in bounds:
        if not isinstance(bound, _Number) or keeps(total, bound.value):
            continue
        if not math.isclose(total, bound.value, rel_tol=_ROUNDING, abs_tol=check.tolerance):
            come = f"the numbers at {_cut(check.at)} come to {_plain(total)}"
            yield _Violation(begin, f"{come}, not {words}{bound.words}")


def _range(check: RangeCheck, present: list[tuple[str, Any]], documents: _Documents) -> Iterator[_Violation]:
    if not present:
        return
    least, most = ([*_bounds(value, documents)] for value in (check.min, check.max))
    yield from (bound for bound in (*least, *most) if isinstance(bound, _Violation))
    for place, value in present:
        number = _number(value)
        if number is None:
            yield _no_number(place, value)
            continue
        low = [bound.words for bound in least if isinstance(bound, _Number) and number < bound.value]
        high = [bound.words for bound in most if isinstance(bound, _Number) and number > bound.value]
        yield from (_Violation(place, f"must be at least {words}, {_but(value)}") for words in low)
        yield from (_Violation(place, f"must be at most {words}, {_but(value)}") for words in high)


def _unique(present: list[tuple[str, Any]]) -> Iterator[_Violation]:
    first: dict[Any, int] = {}
    for number, (place, value) in enumerate(present):
        earlier = first.setdefault(key_of(value), number)
        if earlier != number:
            yield _Violation(place, f"is the same as {_cut(present[earlier][0])}, {_quoted(value)}; each may come once")


def _confidence(present: list[tuple[str, Any]]) -> Iterator[_Violation]:
    for place, value in present:
        number = _number(value)
        if number is None or not 0 <= number <= 1:
            yield _Violation(place, f"must be a number from 0 to 1, {_but(value)}")


def _bounds(value: Value | None, documents: _Documents) -> Iterator[_Number | _Violation]:
    """Yields the number that a value of a check stands for; nothing where it is absent. Several are added up."""
    if value is None:
        return
    if not isinstance(value, InInput | InOutput):
        yield _Number(value, _plain(value))
        return
    if isinstance(value, InInput):
        pointer, document, name = value.input, documents.input, "input"
    else:
        pointer, document, name = value.output, documents.output, "output"
    found = [(place, part, _number(part)) for place, part in resolve(document, pointer) if part is not None]
    odd = [_no_number(place, part) for place, part, number in found if number is None]
    if odd:
        # Of a fault of the input the model can cure nothing, and there is nothing to compare with.
        yield from odd if name == "output" else ()
    elif found:
        total = _total([number for _, _, number in found if number is not None])
        yield _Number(total, f"{_plain(total)} ({_cut(pointer)} of the {name})")


def _number(value: Any) -> float | None:
    """Returns the value as a number to reckon with; None where it is none, or none that is finite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _total(numbers: list[float]) -> float:
    try:
        return math.fsum(numbers)
    except OverflowError:
        return math.inf


def _no_number(place: str, value: Any) -> _Violation:
    return _Violation(place, f"must be a number, {_but(value)}")


def key_of(value: Any) -> Any:
    """Returns what is equal for values that JSON takes for the same: 1 and 1.0, but not true; NaN is equal to none."""
    if isinstance(value, bool):
        return (bool, value)
    if isinstance(value, float) and math.isnan(value):
        return object()
    if isinstance(value, list):
        return (list, tuple(map(key_of, value)))
    if isinstance(value, dict):
        return (dict, frozenset((name, key_of(part)) for name, part in value.items()))
    return value


def _but(value: Any) -> str:
    return f"not {_quoted(value)}"


def _quoted(value: Any) -> str:
    """Quotes a value of the output, cut, and without what a reader could not see."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    if isinstance(value, int) and value.bit_length() > 1024:  # noqa: PLR2004 what no float can hold
        return "a number of hundreds of digits"
    text = json.dumps(value[: _LONGEST_QUOTE + 1] if isinstance(value, str) else value, ensure_ascii=False)
    seen = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
    if len(seen) <= _LONGEST_QUOTE:
        return seen
    return f"{seen[: _LONGEST_QUOTE - 2]}…{seen[0] if isinstance(value, str) else ''}"


def _plain(number: float) -> str:
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)


def _cut(pointer: str) -> str:
    return pointer if len(pointer) <= _LONGEST_POINTER else f"{pointer[: _LONGEST_POINTER - 1]}…"


def _shortened(check: Check, found: list[_Violation]) -> list[_Violation]:
    left_out = len(found) - _MOST_OF_A_CHECK
    if left_out <= 0:
        return found
    words = f"the same is wrong at {left_out} more of {_cut(check.at)}"
    return [*found[:_MOST_OF_A_CHECK], _Violation(before_each(check.at), words)]


def _problem(violation: _Violation) -> Problem:
    words = violation.words
    short = words if len(words) <= _LONGEST_MESSAGE else f"{words[: _LONGEST_MESSAGE - 1]}…"
    return Problem(pointer=_cut(violation.place), message=short)
