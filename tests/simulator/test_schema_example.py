"""Values for the input_schema of a tool."""

import pytest

from agent_workers.simulator.schema_example import accepted, accepts, example, refused

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 12},
        "count": {"type": "integer", "minimum": 5},
        "kind": {"enum": ["fish", "fowl"]},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2},
        "place": {"anyOf": [{"type": "null"}, {"type": "string"}]},
        "size": {"type": ["number", "null"], "maximum": 1},
        "done": {"type": "boolean"},
        "fixed": {"const": 7},
        "inner": {"properties": {"short": {"type": "string", "maxLength": 3}}},
    },
    "required": ["name", "count", "kind", "tags", "place", "size", "done", "fixed", "inner"],
    "additionalProperties": False,
}


def test_an_example_of_a_schema_satisfies_it():
    assert accepts(SCHEMA, example(SCHEMA))


def test_a_wish_that_the_schema_accepts_is_granted():
    assert accepted({"type": "object"}, {"my": "wish"}) == {"my": "wish"}


def test_a_wish_that_the_schema_refuses_gives_way_to_an_example():
    assert accepted(SCHEMA, {"my": "wish"}) == example(SCHEMA)


@pytest.mark.parametrize(
    "schema",
    [
        SCHEMA,
        {"type": "object", "properties": {"a": {"type": "integer"}}},
        {"type": "object", "required": ["a"]},
        {"type": "object", "additionalProperties": False},
    ],
)
def test_a_refused_value_is_found_for_strict_and_for_lenient_schemas(schema):
    assert not accepts(schema, refused(schema, {"my": "wish"}))


def test_a_schema_that_accepts_everything_gets_the_wish():
    assert refused({}, {"my": "wish"}) == {"my": "wish"}


NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}, "kind": {"$ref": "#/$defs/kind"}}}
REFERRING = [
    {"type": "object", "properties": {"kind": {"$ref": "#/$defs/kind"}}, "required": ["kind"]},
    {"$ref": "#/$defs/node"},
    {
        "type": "object",
        "properties": {"all": {"type": "array", "items": {"$ref": "#/definitions/a~1b"}, "minItems": 2}},
    },
    {"type": "object", "properties": {"own": {"$ref": "#"}, "name": {"type": "string"}}, "required": ["name"]},
    {"type": "object", "properties": {"odd": {"$ref": "elsewhere.json"}}},
]


@pytest.mark.parametrize("schema", REFERRING)
def test_references_within_a_schema_are_followed(schema):
    kind = {"type": "string", "enum": ["a", "b"]}
    whole = {
        **schema,
        "$defs": {"kind": kind, "node": {**NODE, "required": ["kind"]}},
        "definitions": {"a/b": {"type": "object", "properties": {"x": kind}, "required": ["x"]}},
    }
    found = example(whole)
    if "odd" not in whole.get("properties", {}):
        assert accepts(whole, found)
    assert found == {name: found[name] for name in found if name not in ("next", "own")}
