"""Patterns of events: a part of what must be there.

An object matches one that has its fields, whatever else that has; any other value matches what is equal. An object
with one of these as its only field is a condition:

    {"$contains": X}   a text that has X in it, or a list with an item that matches X
    {"$lacks": X}      a text without X
    {"$in": [X, …]}    one of these
    {"$all": [X, …]}   all of these
    {"$type": "…"}     a value of that type: string, number, list, object
    {"$absent": true}  no such field
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_MISSING: Any = object()
_TYPES: dict[str, type | tuple[type, ...]] = {"string": str, "number": (int, float), "list": list, "object": dict}
_WORDS = {
    "$contains": "with {}",
    "$lacks": "without {}",
    "$all": "{}",
    "$type": "any {1}",
    "$absent": "absent",
}


def matches(pattern: Any, value: Any) -> bool:
    """Tells whether a value is as a pattern says."""
    if isinstance(pattern, dict) and (condition := _condition(pattern)):
        return _holds(*condition, value)
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            matches(wanted, value.get(name, _MISSING)) for name, wanted in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and len(pattern) == len(value) and all(map(matches, pattern, value))
    return type(pattern) is type(value) and bool(pattern == value)


def told(pattern: Any) -> str:
    """Says a pattern to people: the type of the event, then its fields."""
    if isinstance(pattern, list):
        return " and ".join(map(told, pattern))
    if not isinstance(pattern, dict):
        return shown(pattern)
    if condition := _condition(pattern):
        name, operand = condition
        if name == "$in":
            return " or ".join(map(told, operand))
        return _WORDS[name].format(told(operand), operand)
    fields = [f"{name} {told(wanted)}" for name, wanted in pattern.items() if name != "type"]
    kind = pattern.get("type")
    head = [kind] if isinstance(kind, str) else [f"a type that is {told(kind)}"] if kind else []
    return " ".join([*head, *([f"({', '.join(fields)})"] if fields else [])]) or "an event"


def shown(value: Any) -> str:
    """Returns a value as JSON that people can read: in their script, but nothing that cannot be seen."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


def _condition(pattern: dict[str, Any]) -> tuple[str, Any] | None:
    name = next(iter(pattern), "")
    return (name, pattern[name]) if len(pattern) == 1 and name in _CONDITIONS else None


def _holds(name: str, operand: Any, value: Any) -> bool:
    if value is _MISSING:
        return name == "$absent"
    return _CONDITIONS[name](operand, value)


def _contains(operand: Any, value: Any) -> bool:
    if isinstance(value, str):
        return isinstance(operand, str) and operand in value
    return isinstance(value, list) and any(matches(operand, item) for item in value)


_CONDITIONS: dict[str, Callable[[Any, Any], bool]] = {
    "$contains": _contains,
    "$lacks": lambda operand, value: isinstance(value, str) and operand not in value,
    "$in": lambda operand, value: any(matches(each, value) for each in operand),
    "$all": lambda operand, value: all(matches(each, value) for each in operand),
    "$type": lambda operand, value: isinstance(value, _TYPES[operand]) and not isinstance(value, bool),
    "$absent": lambda operand, value: value is _MISSING,
}
