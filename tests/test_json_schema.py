"""Schemas that callers send: whatever is accepted can be used, and nothing in it is ever fetched."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_workers.engine.input_check import faults
from agent_workers.json_schema import schema_fault

Schema = dict[str, Any]

AWAY = "http://127.0.0.1:1/secret.json"
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
# Words that are keywords of JSON Schema where they stand as such, and names like any other where they are names.
WORDS = ("default", "enum", "const", "examples", "properties", "$ref", "$id", "pattern", "type", "items", "required")
OF_NAMES = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
OF_ONE = ("not", "if", "then", "else", "additionalProperties", "propertyNames", "items", "contains")
OF_MANY = ("allOf", "anyOf", "oneOf", "prefixItems")
DATA = ("default", "const", "enum", "examples")


def fault(**schema: Any) -> tuple[tuple[str | int, ...], str] | None:
    found = schema_fault({"type": "object", **schema}, python_patterns=True)
    return found and tuple(found)


def place_of(**schema: Any) -> tuple[str | int, ...] | None:
    found = fault(**schema)
    return found and found[0]


def test_a_foreign_reference_is_found_behind_any_name() -> None:
    for keyword, name, reference in itertools.product(OF_NAMES, WORDS, REFERENCES):
        assert place_of(**{keyword: {name: {reference: AWAY}}}) == (keyword, name, reference)


def test_a_foreign_reference_is_found_under_a_keyword_of_one_schema() -> None:
    for keyword, reference in itertools.product(OF_ONE, REFERENCES):
        place = place_of(**{keyword: {"properties": {"a": {reference: AWAY}}}})
        assert place == (keyword, "properties", "a", reference)


def test_a_foreign_reference_is_found_under_a_keyword_of_many_schemas() -> None:
    for keyword, reference in itertools.product(OF_MANY, REFERENCES):
        assert place_of(**{keyword: [{}, {reference: AWAY}]}) == (keyword, 1, reference)


@pytest.mark.parametrize("address", [AWAY, "file:///etc/passwd", "other.json#/x", "//host/x", "?", "urn:x"])
def test_any_address_is_foreign(address: str) -> None:
    assert place_of(properties={"default": {"$ref": address}}) == ("properties", "default", "$ref")


@pytest.mark.parametrize("keyword", DATA)
def test_a_reference_in_data_is_a_word_like_any_other(keyword: str) -> None:
    data: Any = {"$ref": AWAY, "pattern": "(", "type": 5}
    assert place_of(properties={"a": {keyword: [data] if keyword in ("enum", "examples") else data}}) is None


@pytest.mark.parametrize("keyword", DATA)
def test_data_that_a_reference_makes_a_schema_is_looked_at_as_one(keyword: str) -> None:
    listed = keyword in ("enum", "examples")
    pointer = f"#/properties/b/{keyword}/0" if listed else f"#/properties/b/{keyword}"
    for bad in ({"$ref": AWAY}, {"properties": {"enum": {"$ref": AWAY}}}, {"type": "nonsense"}):
        data = [bad] if listed else bad
        assert place_of(properties={"a": {"$ref": pointer}, "b": {keyword: data}}) == ("properties", "a", "$ref")


@pytest.mark.parametrize("pattern", ["(", "[a", "*", r"\p{L}", "(?<year>x)", "a{99999999999}"])
def test_a_pattern_that_cannot_be_checked_here_is_refused_wherever_it_stands(pattern: str) -> None:
    for name in WORDS:
        assert place_of(properties={name: {"pattern": pattern}}) == ("properties", name, "pattern")
        place = place_of(properties={name: {"patternProperties": {pattern: {}}}})
        assert place[:3] == ("properties", name, "patternProperties")


def test_a_property_that_is_called_pattern_is_no_pattern() -> None:
    assert fault(properties={"pattern": {"type": "string"}}, required=["pattern"]) is None


@pytest.mark.parametrize(
    "reference", ["#/$defs/nowhere", "#nowhere", "#/properties/a/title", "#/required/0", "#/required/x", "#/$defs/a~2"]
)
def test_a_reference_leads_to_a_schema(reference: str) -> None:
    schema = {"properties": {"a": {"title": "A"}, "b": {"$ref": reference}}, "required": ["a"], "$defs": {"a": {}}}
    assert place_of(**schema) == ("properties", "b", "$ref")


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("#/$defs/a~1b", {"a/b": {}}),
        ("#/$defs/a%20b", {"a b": {}}),
        ("#here", {"a": {"$anchor": "here"}}),
        ("#", {}),
        ("#/$defs/a", {"a": True}),
        ("#/$defs/a/x-own", {"a": {"x-own": {"type": "string"}}}),
        ("#/$defs/a/allOf/1", {"a": {"allOf": [{}, {"type": "string"}]}}),
    ],
)
def test_a_reference_within_the_schema_may_take_any_form(reference: str, target: Schema) -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": reference}}, "$defs": target}
    assert schema_fault(schema) is None
    faults(schema, {"a": {"a": "x"}})


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"not": {"$ref": "#"}},
        {"properties": {"a": {"$ref": "#/properties/b"}, "b": {"anyOf": [{"$ref": "#/properties/a"}]}}},
        {"$defs": {str(n): {"$ref": f"#/$defs/{n + 1}"} for n in range(500)} | {"500": {}}, "$ref": "#/$defs/0"},
        {"$defs": {"a": {"$ref": "#/$defs/a"}}},
    ],
    ids=["itself", "in allOf", "in not", "two", "a long chain", "unused"],
)
def test_a_reference_that_comes_back_for_the_same_value_is_refused(schema: Schema) -> None:
    assert "must not refer to itself" in fault(**schema)[1]


def test_a_tree_may_refer_to_itself() -> None:
    tree = {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}}}
    assert schema_fault(tree) is None
    assert faults(tree, {"children": [{"children": []}]}) == []


@pytest.mark.parametrize("address", [AWAY, "https://example.com/a", "urn:a", "a/b", ""])
def test_an_id_is_never_fetched_and_references_start_at_it(address: str) -> None:
    inner = {"$id": address, "properties": {"c": {"$ref": "#/$defs/d"}}, "$defs": {"d": {"type": "string"}}}
    schema = {"type": "object", "$id": AWAY, "properties": {"b": inner, "$id": {}}, "$defs": {"d": {"type": "null"}}}
    assert schema_fault(schema) is None
    faults(schema, {"b": {"c": "x"}})


@pytest.mark.parametrize(
    "dialect", [AWAY, "https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/schema#"]
)
def test_a_dialect_is_never_fetched(dialect: str) -> None:
    schema = {"$schema": dialect, "type": "object", "properties": {"$schema": {"$schema": dialect}}}
    assert schema_fault(schema) is None
    assert faults(schema, {"$schema": "x"}) == []


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "array"}, ()),
        ({"type": "string"}, ()),
        ({"type": ["string", "null"]}, ()),
        ({"const": 5}, ()),
        ({"enum": ["a", None, []]}, ()),
        ({"enum": []}, ()),
        ({"not": {}}, ("not",)),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "array"}}}, ("$defs", "a")),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, ("anyOf",)),
        ({"oneOf": [{"enum": [1]}, False]}, ("oneOf",)),
        ({"allOf": [{"type": "object"}, {"type": "array"}]}, ("allOf", 1)),
        ({"allOf": [False]}, ("allOf", 0)),
        ({"properties": {"a": False}, "required": ["b", "a"]}, ("required", 1)),
        ({"properties": {"a": {}}, "required": ["b"], "additionalProperties": False}, ("required", 0)),
        ({"properties": {"a": {"not": {}}}, "required": ["a"]}, ("required", 0)),
        ({"not": {"type": "object"}}, ("not",)),
        ({"not": {"type": ["null", "object"]}}, ("not",)),
        ({"minProperties": 2, "maxProperties": 1}, ("maxProperties",)),
        ({"required": ["a", "b"], "maxProperties": 1}, ("maxProperties",)),
    ],
    ids=str,
)
def test_a_schema_that_no_object_satisfies_is_refused(schema: Schema, place: tuple[str | int, ...]) -> None:
    found = schema_fault(schema)
    assert found
    assert found.place == place
    assert faults(schema, {}) or "required" in schema or "minProperties" in schema


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": ["object", "null"]},
        {"const": {"a": 1}},
        {"enum": [5, {}]},
        {"anyOf": [{"type": "string"}, {"type": "object"}]},
        {"properties": {"a": False}},
        {"not": {"type": "string"}},
        {"not": {"type": "object", "required": ["a"]}},
        {"maxProperties": 1, "required": ["a"]},
        {"patternProperties": {"^x": {}}, "required": ["xa"], "additionalProperties": False},
        {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"type": "null"}, {"properties": {"b": {"$ref": "#"}}}]}}},
    ],
    ids=str,
)
def test_a_schema_that_some_object_satisfies_is_taken(schema: Schema) -> None:
    assert schema_fault(schema) is None


def test_a_pattern_without_end_does_not_hold_up_the_reading_of_a_schema() -> None:
    named = {"patternProperties": {"^(a+)+$": {}}, "required": ["a" * 60 + "!"], "additionalProperties": False}
    assert schema_fault({"type": "object", **named}) is None


@pytest.mark.parametrize("index", ["9" * 5000, "\u0660", "\xb2", "-1", "+0", "2", ""])
def test_an_index_that_is_none_leads_nowhere(index: str) -> None:
    found = fault(allOf=[{}, {}], properties={"a": {"$ref": f"#/allOf/{index}"}})
    assert found == (("properties", "a", "$ref"), "must point to a place that this schema has")


def test_a_schema_whose_branches_double_at_each_step_is_read_at_once() -> None:
    defs = {str(n): {"anyOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(60)} | {"60": {"type": "object"}}
    assert schema_fault({"$ref": "#/$defs/0", "$defs": defs}) is None


keys = st.sampled_from([*WORDS, *DATA, *REFERENCES, *OF_NAMES, *OF_ONE, *OF_MANY, "$anchor", "$id", "a"])
words = st.sampled_from(["#", "#a", "#/$defs/a", "#/default", "#/properties/$ref", "a", "object", "string", "(", AWAY])
values = st.recursive(
    words | st.booleans() | st.none() | st.integers(0, 3),
    lambda inner: st.dictionaries(keys, inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=12,
)


@settings(max_examples=600, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(keys, values, max_size=4))
def test_what_is_accepted_can_be_checked_against(schema: Schema) -> None:
    schema = {**schema, "type": "object"}
    if schema_fault(schema, python_patterns=True) is None:
        for tool_input in ({}, {"a": {}}, {name: {} for name in WORDS}, {name: json.dumps(name) for name in WORDS}):
            faults(schema, tool_input)
