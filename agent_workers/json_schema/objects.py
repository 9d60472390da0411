"""Whether any object can satisfy a schema. In doubt the answer is yes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent_workers.json_schema.spots import Fault, Place, Spot

if TYPE_CHECKING:
    from collections.abc import Callable

    Find = Callable[[Spot, str], "Spot | str"]

_ANY: tuple[Any, ...] = ({}, True)


def object_fault(top: Spot, find: Find, known: dict[Place, Fault | None] | None = None) -> Fault | None:
    """Says why no object satisfies the schema; None where one may.

    Args:
        top: The schema.
        find: Follows a reference.
        known: The results so far, by place: each schema is checked once, however many references lead to it.
    """
    known = {} if known is None else known
    if top.place not in known:
        known[top.place] = None  # where references go in a circle, the other keywords decide
        known[top.place] = _excluded(top) or _required_in_vain(top) or _combined(top, find, known)
    return known[top.place]


def _combined(top: Spot, find: Find, known: dict[Place, Fault | None]) -> Fault | None:
    place, schema, base = top

    def below(*steps: str | int, part: Any) -> Fault | None:
        if isinstance(part, dict):
            return object_fault(Spot((*place, *steps), part, base), find, known)
        return Fault((*place, *steps), "is false, so that no object satisfies the schema") if part is False else None

    target = find(top, schema["$ref"]) if "$ref" in schema else None
    if isinstance(target, Spot) and (fault := object_fault(target, find, known)):
        return fault
    for number, part in enumerate(schema.get("allOf", ())):
        if fault := below("allOf", number, part=part):
            return fault
    for keyword in ("anyOf", "oneOf"):
        faults = [below(keyword, number, part=part) for number, part in enumerate(schema.get(keyword, ()))]
        if faults and all(faults):
            return Fault((*place, keyword), "must contain a schema that allows an object")
    return None


def _excluded(top: Spot) -> Fault | None:
    place, schema, _ = top
    types = schema.get("type", "object")
    if types != "object" and not (isinstance(types, list) and "object" in types):
        return Fault(place, f'must describe an object: its "type" is {json.dumps(types)[:80]}')
    values = [schema["const"]] if "const" in schema else schema.get("enum", [{}])
    if not any(isinstance(value, dict) for value in values):
        return Fault(place, "must describe an object: its const or enum lists none")
    if _is_any_object(schema.get("not")):
        return Fault((*place, "not"), "excludes every object")
    least = max(schema.get("minProperties", 0), len(_required(schema)))
    if least > schema.get("maxProperties", least):
        return Fault((*place, "maxProperties"), f"must be at least {least}, the number of required properties")
    return None


def _is_any_object(schema: Any) -> bool:
    return schema in _ANY or (isinstance(schema, dict) and schema.keys() == {"type"} and "object" in schema["type"])


def _required_in_vain(top: Spot) -> Fault | None:
    place, schema, _ = top
    properties = schema.get("properties", {})
    closed = schema.get("additionalProperties") is False and not schema.get("patternProperties")
    for number, name in enumerate(_required(schema)):
        if name in properties and _is_never(properties[name]):
            return Fault((*place, "required", number), f"requires {name[:80]!r}, which properties forbids")
        if closed and name not in properties:
            words = f"requires {name[:80]!r}, which properties does not list and additionalProperties forbids"
            return Fault((*place, "required", number), words)
    return None


def _required(schema: dict[str, Any]) -> list[str]:
    found = schema.get("required")
    return found if isinstance(found, list) else []  # draft 03 has a boolean at each property


def _is_never(schema: Any) -> bool:
    return schema is False or (isinstance(schema, dict) and (schema.get("enum") == [] or schema.get("not") in _ANY))
