"""What counts as a JSON value: text that any UTF-8 writer can encode, finite numbers, bounded nesting."""

import math
import re
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""A decoded JSON value."""

MAX_DEPTH = 128
"""Deepest nesting of lists and objects; well below where the readers of any language give up."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def well_formed(text: str) -> str:
    """Replace lone surrogates, which no UTF-8 encoder accepts, by U+FFFD."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)


def copy_well_formed(value: Json, depth: int = 0) -> Json:
    """Copy a decoded JSON value with all its strings and keys `well_formed`.

    Raises:
        RecursionError: Nested deeper than `MAX_DEPTH`.
    """
    if isinstance(value, str):
        return well_formed(value)
    if not isinstance(value, (dict, list)):
        return value
    if depth == MAX_DEPTH:
        raise RecursionError
    if isinstance(value, list):
        return [copy_well_formed(item, depth + 1) for item in value]
    return {well_formed(name): copy_well_formed(item, depth + 1) for name, item in value.items()}


def json_fault(value: object) -> str | None:
    """Says in plain words why a Python value cannot be written as JSON; None where it can."""
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, float) and not math.isfinite(item):
            return "must not hold NaN or Infinity"
        if item is None or isinstance(item, (str, bool, int, float)):
            continue
        if not isinstance(item, (dict, list)):
            return "must hold JSON values only"
        if depth == MAX_DEPTH:
            return f"must not be nested deeper than {MAX_DEPTH} levels"
        if isinstance(item, dict) and not all(isinstance(name, str) for name in item):
            return "must have strings as names"
        waiting += [(child, depth + 1) for child in (item.values() if isinstance(item, dict) else item)]
    return None
