"""What counts as a JSON value: text that UTF-8 can encode, finite numbers, bounded nesting."""

import math
import re
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""A decoded JSON value."""

MAX_DEPTH = 128
"""Deepest nesting of lists and objects, well below what the JSON readers of any language refuse."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def well_formed(text: str) -> str:
    """Replaces lone surrogates, which no UTF-8 encoder accepts, by U+FFFD."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)


def copy_well_formed(value: Json, depth: int = 0) -> Json:
    """Copies a decoded JSON value, with all its strings and keys ``well_formed``.

    Raises:
        RecursionError: It is nested deeper than ``MAX_DEPTH``.
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
            return "must not contain NaN or Infinity"
        if item is None or isinstance(item, (str, bool, int, float)):
            continue
        if not isinstance(item, (dict, list)):
            return "must contain JSON values only"
        if depth == MAX_DEPTH:
            return f"must not be nested deeper than {MAX_DEPTH} levels"
        if isinstance(item, dict) and not all(isinstance(name, str) for name in item):
            return "must have field names that are strings"
        waiting += [(child, depth + 1) for child in (item.values() if isinstance(item, dict) else item)]
    return None
