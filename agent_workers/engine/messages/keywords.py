"""The keywords of JSON Schema, as the API's dialect takes them."""

from __future__ import annotations

from typing import Any

from agent_workers.engine.messages.definitions import BeyondDialect, listed

Schema = dict[str, Any]

FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})
"""The formats of strings that the dialect has."""

SAYS_NOTHING = frozenset({"$schema", "$comment", "$vocabulary", "$anchor", "$dynamicAnchor", "$recursiveAnchor"})
WORDS = ("title", "description")
SHAPES = ("$ref", "const", "enum", "anyOf", "oneOf", "allOf", "type")
_CLOSING = frozenset({"additionalProperties", "unevaluatedProperties"})
STRUCTURE = frozenset({*SHAPES, *_CLOSING, "properties", "required", "items"})
# All that hold schemas, and what changes where references lead.
BEYOND = frozenset(
    {"not", "if", "then", "else", "extends", "disallow", "prefixItems", "additionalItems", "unevaluatedItems"}
    | {"contains", "patternProperties", "propertyNames", "dependentSchemas", "dependencies", "contentSchema"}
    | {"$dynamicRef", "$recursiveRef", "$id", "id", "$defs", "definitions"}
)
_OF_NUMBERS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
OF_KIND = {
    "object": _CLOSING | {"properties", "required", "minProperties", "maxProperties", "dependentRequired"},
    "array": frozenset({"items", "minItems", "maxItems", "uniqueItems"}),
    "string": frozenset({"minLength", "maxLength", "pattern", "format"}),
    "number": _OF_NUMBERS,
    "integer": _OF_NUMBERS,
    "boolean": frozenset(),
    "null": frozenset(),
}


def literals(keyword: str, given: Any, rest: Schema) -> Any:
    """Returns the value of ``const`` or ``enum``, without values of other types than the ``type`` beside it allows.

    Raises:
        BeyondDialect: No value is left, or one is a list or an object.
    """
    values = [given] if keyword == "const" else given
    if "type" in rest:
        kinds = listed(rest.pop("type"))
        values = [value for value in values if any(_is_a(kind, value) for kind in kinds)]
    if not values or any(isinstance(value, (dict, list)) for value in values):
        raise BeyondDialect
    return values[0] if keyword == "const" else values


def _is_a(kind: Any, value: Any) -> bool:
    if isinstance(value, bool):
        return bool(kind == "boolean")
    if isinstance(value, (int, float)):
        return kind == "number" or (kind == "integer" and value == int(value))
    return bool(kind == {str: "string", type(None): "null", dict: "object", list: "array"}[type(value)])


def can_be_one(part: Any, rest: Schema) -> bool:
    """Tells whether the only part of an ``allOf`` and the schema around it mean the same as one schema."""
    if not isinstance(part, dict) or any(part[name] != rest[name] for name in part.keys() & rest.keys()):
        return False
    # Which fields are additional depends on those listed beside the keyword.
    return not any(
        "properties" in one and not _CLOSING.isdisjoint(other) for one, other in ((part, rest), (rest, part))
    )
