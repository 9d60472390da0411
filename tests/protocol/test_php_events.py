"""The event classes of the PHP bridge have each type and field of the schemas. Read as text: no PHP is needed."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CLASSES = ROOT / "php-bridge" / "src" / "Event"
SCHEMAS = {
    path.name.removesuffix(".schema.json"): json.loads(path.read_text("utf-8"))
    for path in sorted((ROOT / "schemas" / "v1" / "events").glob("*.schema.json"))
}
PHP_TYPES = {"string": "string", "integer": "int", "number": "float", "boolean": "bool", "object": "array"}
PHP_TYPES |= {"array": "array", "any": "mixed"}
READERS = {**{name: name for name in PHP_TYPES.values()}, "Usage": "(?:usage|array)"}
ENVELOPE = {"v", "seq", "run", "ts", "type", "prev", "truncated_bytes"}
USAGE = "Usage"

_PROPERTY = re.compile(r"((?:/\*\*(?:(?!\*/).)*\*/\s*)?)public readonly (\??)(\w+) \$(\w+)", re.DOTALL)
_KEY = re.compile(r"(\w+)(\??): ")


def source(name: str) -> str:
    return (CLASSES / f"{name}.php").read_text("utf-8")


def classes() -> dict[str, str]:
    """The class of each type, as the factory has it."""
    return dict(re.findall(r"'(\w+)' => (\w+)::class", source("EventFactory")))


def property_of(field: str) -> str:
    first, *words = field.split("_")
    return first + "".join(map(str.capitalize, words))


def declared(php: str) -> dict[str, tuple[str, bool, str]]:
    """The type of each property, whether it may be null, and the comment above it."""
    return {
        name: (kind, bool(null) or kind == "mixed", comment) for comment, null, kind, name in _PROPERTY.findall(php)
    }


def resolved(schema: dict[str, Any], field: dict[str, Any]) -> dict[str, Any]:
    name = field.get("$ref", "").rpartition("/")[2]
    return schema["$defs"][name] if name else field


def php_type(schema: dict[str, Any], field: dict[str, Any]) -> str:
    if field.get("$ref", "").endswith(f"/{USAGE}"):
        return USAGE
    return PHP_TYPES[resolved(schema, field).get("type", "any")]


def keys_of(schema: dict[str, Any], field: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Every name within a field's value, at any depth, and whether it may be absent."""
    field = resolved(schema, field)
    for name, inner in field.get("properties", {}).items():
        yield name, name not in field.get("required", [])
        yield from keys_of(schema, inner)
    if "items" in field:
        yield from keys_of(schema, field["items"])


def body(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: field for name, field in schema["properties"].items() if name not in ENVELOPE}


def problems(schema: dict[str, Any], php: str) -> Iterator[str]:
    """What a class lacks, has wrong, or has beyond its event."""
    properties = declared(php)
    fields = body(schema)
    yield from (f"${name} is no field" for name in properties.keys() - set(map(property_of, fields)))
    for name, field in fields.items():
        kind = php_type(schema, field)
        optional = name not in schema["required"]
        found, nullable, comment = properties.get(property_of(name), ("nothing", optional, ""))
        if (found, nullable) != (kind, optional or kind == "mixed"):
            yield f"{name} is {found}, nullable: {nullable}; it must be {kind}, nullable: {optional}"
        if not re.search(rf"\$fields->{READERS[kind]}(OrNull)?\('{name}'\)", php):
            yield f"{name} is not read as {kind}"
        keys = set(keys_of(schema, field)) if found == "array" else set()
        if keys != {(key, bool(may)) for key, may in _KEY.findall(comment.partition("array{")[2])}:
            yield f"{name} has a comment with other keys than {sorted(keys)}"


def test_the_factory_has_a_class_for_each_type_of_event() -> None:
    assert classes().keys() == SCHEMAS.keys()


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_php_class_has_the_fields_of_its_event(kind: str) -> None:
    assert list(problems(SCHEMAS[kind], source(classes()[kind]))) == []


def test_the_base_class_has_the_envelope() -> None:
    envelope = {property_of(name) for name in ENVELOPE}
    assert envelope <= declared(source("Event")).keys()


def test_usage_has_all_counts_and_each_may_be_unknown() -> None:
    definitions = SCHEMAS["done"]["$defs"]
    counts = definitions["Usage"]["properties"] | definitions["ModelUsage"]["properties"]
    expected = {property_of(name): (PHP_TYPES[field["type"]], True, "") for name, field in counts.items()}
    assert declared(source(USAGE)) == expected
    for name in counts:
        assert f"OrNull('{name}')" in source(USAGE)


DRIFT = {
    "a field is not there": ("public readonly ?string $effectKey;", ""),
    "one more than the event has": ("string $name;", "string $name; public readonly int $size;"),
    "an optional field that must be there": ("readonly ?string $effectKey", "readonly string $effectKey"),
    "a required field that may be null": ("readonly string $callId", "readonly ?string $callId"),
    "a field of another type": ("readonly string $expiresAt", "readonly int $expiresAt"),
    "a field that is read as something else": ("fields->string('expires_at')", "fields->int('expires_at')"),
    "a field that is read by another name": ("('effect_key')", "('effectKey')"),
}


@pytest.mark.parametrize("change", DRIFT.values(), ids=DRIFT)
def test_drift_is_found(change: tuple[str, str]) -> None:
    php = source("AppToolCall")
    assert change[0] in php
    assert list(problems(SCHEMAS["app_tool_call"], php.replace(*change)))
