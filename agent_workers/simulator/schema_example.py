"""Values that a JSON Schema accepts, and values that it refuses."""

from typing import Any

_SCALARS: dict[str, object] = {"integer": 1, "number": 1.5, "boolean": True, "null": None}
_STRING = "simulated"
_MISFIT = {"not": ["what", "the schema", "asked for"]}


def accepts(schema: dict[str, Any], value: object) -> bool:
    """Says whether the schema accepts the value."""
    from jsonschema import Draft202012Validator

    return bool(Draft202012Validator(schema).is_valid(value))


def example(schema: object) -> object:
    """Returns a plain value of the schema's shape. Ignores formats, patterns and ``$ref``."""
    if not isinstance(schema, dict):
        return {}
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("enum", "examples"):
        if schema.get(key):
            return schema[key][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return example(schema[key][0])
    return _example_of_type(schema)


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


def _example_of_type(schema: dict[str, Any]) -> object:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object":
        return {name: example(part) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [example(schema.get("items", {"type": "string"}))] * max(1, schema.get("minItems", 1))
    if kind == "string":
        return _STRING.ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength")]
    return _within(schema, _SCALARS.get(kind))


def _within(schema: dict[str, Any], value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    value = max(value, schema.get("minimum", value))
    return min(value, schema.get("maximum", value))
