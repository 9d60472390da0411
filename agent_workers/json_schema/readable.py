"""Schemas with patterns of ECMA-262 that Python cannot read."""

from __future__ import annotations

import re
from typing import Any

# Whose values are no schemas, so that "pattern" in them is a word like any other.
_DATA = frozenset({"const", "enum", "default", "examples"})
_NAMED = frozenset({"properties", "$defs", "definitions", "dependentSchemas"})


def readable(schema: dict[str, Any]) -> dict[str, Any]:
    """Returns the schema without what Python cannot check: the rest of it is checked all the same.

    Where it is a pattern of names that cannot be read, other names are allowed beside those that are listed.
    """
    found = _readable(schema)
    assert isinstance(found, dict)
    return found


def _readable(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_readable(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found: dict[str, Any] = {}
    for name, value in schema.items():
        if name in _DATA:
            found[name] = value
        elif name in _NAMED and isinstance(value, dict):
            found[name] = {key: _readable(each) for key, each in value.items()}
        elif name == "pattern":
            if is_readable(value):
                found[name] = value
        elif name == "patternProperties" and isinstance(value, dict):
            found[name] = {key: _readable(each) for key, each in value.items() if is_readable(key)}
        else:
            found[name] = _readable(value)
    if len(found.get("patternProperties") or ()) < len(schema.get("patternProperties") or ()):
        found.pop("additionalProperties", None)
        found.pop("unevaluatedProperties", None)
    return found


def is_readable(pattern: object) -> bool:
    """Tells whether Python can compile a pattern; what is no text is none."""
    if not isinstance(pattern, str):
        return True
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True
