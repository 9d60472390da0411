"""Values that a JSON Schema accepts, and values that it refuses."""

from collections.abc import Iterator
from typing import Any

_SCALARS: dict[str, object] = {"integer": 1, "number": 1.5, "boolean": True, "null": None}
_STRING = "simulated"
_MISFIT = {"not": ["what", "the schema", "asked for"]}


def accepts(schema: dict[str, Any], value: object) -> bool:
    """Says whether the schema accepts the value."""
    from jsonschema import Draft202012Validator

    return bool(Draft202012Validator(schema).is_valid(value))


def example(schema: object) -> object:
    """Returns a plain value of the schema's shape. Ignores formats, patterns and references that lead out of it."""
    return _example(schema, _Root(schema))


def accepted(schema: dict[str, Any], wish: dict[str, Any]) -> dict[str, Any]:
    """Returns ``wish`` if the schema accepts it, else an example object of the schema."""
    found = wish if accepts(schema, wish) else example(schema)
    return found if isinstance(found, dict) else wish


def refused(schema: dict[str, Any], wish: dict[str, Any]) -> dict[str, Any]:
    """Returns an object that the schema refuses, or ``wish`` if there is none."""
    misfits = dict.fromkeys(schema.get("properties", {}), _MISFIT)
    for value in (wish, {}, misfits):
        if not accepts(schema, value):
            return value
    return wish


class _Root:
    """The whole schema, and the references that lead from it to a part.

    Args:
        schema: The schema.
        above: The references; a schema may hold itself.
    """

    def __init__(self, schema: object, above: frozenset[str] = frozenset()) -> None:
        self._schema = schema
        self._above = above

    def holds_itself(self, part: object) -> bool:
        """Tells whether a part is a reference to one that it lies in."""
        place = part.get("$ref") if isinstance(part, dict) else None
        return place in ("#", *self._above)

    def follow(self, place: str) -> "tuple[object, _Root]":
        """Returns the part to which a reference leads, or any value's schema, and the root for what is in it."""
        found = self._schema
        for step in place.removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, dict) else None
        leads_out = not place.startswith("#") or self.holds_itself({"$ref": place})
        return ({} if leads_out else found), _Root(self._schema, self._above | {place})


def _example(schema: object, root: _Root) -> object:
    if not isinstance(schema, dict):
        return {}
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("enum", "examples"):
        if schema.get(key):
            return schema[key][0]
    if isinstance(schema.get("$ref"), str):
        return _example(*root.follow(schema["$ref"]))
    for key in ("anyOf", "oneOf", "allOf"):
        if choices := schema.get(key):
            return _example(next((part for part in choices if not root.holds_itself(part)), choices[0]), root)
    return _example_of_type(schema, root)


def _example_of_type(schema: dict[str, Any], root: _Root) -> object:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object":
        return {name: _example(part, root) for name, part in _fields(schema, root)}
    if kind == "array":
        items = schema.get("items", {"type": "string"})
        least = schema.get("minItems", 0 if root.holds_itself(items) else 1)
        return [_example(items, root)] * least
    if kind == "string":
        return _STRING.ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength")]
    return _within(schema, _SCALARS.get(kind))


def _fields(schema: dict[str, Any], root: _Root) -> Iterator[tuple[str, object]]:
    for name, part in schema.get("properties", {}).items():
        if name in schema.get("required", ()) or not root.holds_itself(part):
            yield name, part


def _within(schema: dict[str, Any], value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    value = max(value, schema.get("minimum", value))
    return min(value, schema.get("maximum", value))
