"""Whether a schema can be satisfied by an object at all. Errs on the side of yes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .spots import Fault, Place, Spot

if TYPE_CHECKING:
    from collections.abc import Callable

    Find = Callable[[Spot, str], "Spot | str"]

_ANY: tuple[Any, ...] = ({}, True)


def object_fault(top: Spot, find: Find, known: dict[Place, Fault | None] | None = None) -> Fault | None:
    """Why no object satisfies the schema; None where one may.

    Args:
        top: The schema.
        find: Follows a reference.
        known: What was found so far: each schema is looked at once, however many lead to it.
    """
    known = {} if known is None else known
    if top.place not in known:
        known[top.place] = None  # in a circle, the rest decides
        known[top.place] = _excluded(top) or _required_in_vain(top) or _combined(top, find, known)
    return known[top.place]


def _combined(top: Spot, find: Find, known: dict[Place, Fault | None]) -> Fault | None:
    place, schema, base = top

    def below(*steps: str | int, part: Any) -> Fault | None:
        if isinstance(part, dict):
            return object_fault(Spot((*place, *steps), part, base), find, known)
        return Fault((*place, *steps), "allows nothing") if part is False else None

    target = find(top, schema["$ref"]) if "$ref" in schema else None
    if isinstance(target, Spot) and (fault := object_fault(target, find, known)):
        return fault
    for number, part in enumerate(schema.get("allOf", ())):
        if fault := below("allOf", number, part=part):
            return fault
    for keyword in ("anyOf", "oneOf"):
        faults = [below(keyword, number, part=part) for number, part in enumerate(schema.get(keyword, ()))]
        if faults and all(faults):
            return Fault((*place, keyword), "must allow an object")
    return None


def _excluded(top: Spot) -> Fault | None:
    place, schema, _ = top
    types = schema.get("type", "object")
    if types != "object" and not (isinstance(types, list) and "object" in types):
        return Fault(place, f"must describe an object, not {types if isinstance(types, str) else 'other types'}")
    values = [schema["const"]] if "const" in schema else schema.get("enum", [{}])
    if not any(isinstance(value, dict) for value in values):
        return Fault(place, "must describe an object: const or enum allows none")
    if schema.get("not", False) in _ANY:
        return Fault((*place, "not"), "allows nothing")
    if schema.get("minProperties", 0) > schema.get("maxProperties", schema.get("minProperties", 0)):
        return Fault((*place, "minProperties"), "must not be more than maxProperties")
    return None


def _required_in_vain(top: Spot) -> Fault | None:
    place, schema, _ = top
    properties, required = schema.get("properties", {}), schema.get("required", ())
    patterns = schema.get("patternProperties", {})
    for number, name in enumerate(required if isinstance(required, list) else ()):
        if name in properties:
            if properties[name] is False or (isinstance(properties[name], dict) and properties[name].get("enum") == []):
                return Fault((*place, "required", number), f"requires what properties forbid: {name[:80]!r}")
        elif schema.get("additionalProperties") is False and not any(_matches(pattern, name) for pattern in patterns):
            words = f"requires what additionalProperties forbid: {name[:80]!r}"
            return Fault((*place, "required", number), words)
    return None


def _matches(pattern: str, name: str) -> bool:
    try:
        return len(pattern) + len(name) > 200 or re.search(pattern, name) is not None  # noqa: PLR2004 long enough
    except re.error:
        return True  # of ECMA-262
