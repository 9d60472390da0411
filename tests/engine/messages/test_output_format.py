"""A request's schema in the dialect of the API: what it allows, what it says in words, and what is beyond it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import agent_workers.skills
from agent_workers.engine.messages.output_format import format_of, in_words, output_of
from agent_workers.json_schema import schema_fault, validator_of

Schema = dict[str, Any]
KEYWORDS = {"type", "properties", "required", "additionalProperties", "items", "minItems", "format", "enum", "const"}
KEYWORDS |= {"anyOf", "allOf", "$ref", "$defs", "title", "description"}
TEXT = {"type": "string"}
BUNDLED = sorted(Path(agent_workers.skills.__file__).parent.glob("bundled/*/output.schema.json"))


def of(**properties: Any) -> Schema:
    """An object with these fields, all of them optional."""
    return {"type": "object", "properties": properties}


def closed(**properties: Any) -> Schema:
    return {**of(**properties), "additionalProperties": False}


def field(schema: Any, **more: Any) -> Any:
    """What the dialect makes of the schema of a field."""
    found = format_of({**of(it=schema), **more})
    return found and found["properties"]["it"]


def test_an_object_is_closed() -> None:
    schema = {**of(name=TEXT, address=of(street=TEXT)), "required": ["name"]}
    assert format_of(schema) == {**closed(name=TEXT, address=closed(street=TEXT)), "required": ["name"]}


def test_a_schema_of_the_dialect_stays_as_it_is() -> None:
    schema = {
        "title": "A score",
        "description": "Of a partner.",
        **closed(
            score={"type": "integer", "description": "From 0 to 9."},
            grade={"enum": ["a", "b", None, 1, 1.5, True]},
            kind={"const": "partner"},
            since={"type": "string", "format": "date"},
            reasons={"type": "array", "items": {"$ref": "#/$defs/Reason"}, "minItems": 1},
            other={"anyOf": [{"type": "number"}, {"type": "boolean"}, {"type": "null"}]},
        ),
        "required": ["score"],
        "$defs": {"Reason": closed(text=TEXT)},
    }
    assert format_of(schema) == schema


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 9}, "Must be at least 1, at most 9."),
        (
            {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1.5, "multipleOf": 0.5},
            "Must be greater than 0, less than 1.5, a multiple of 0.5.",
        ),
        ({"type": "string", "maxLength": 5}, "Must be at most 5 characters long."),
        ({"type": "string", "pattern": "^ä$"}, 'Must be matched by the regular expression "^ä$".'),
        ({"type": "string", "format": "iban"}, 'Must be of the format "iban".'),
        ({"type": "string", "default": "x", "examples": ["y"]}, '{default: "x", examples: ["y"]}'),
        (
            {"type": "string", "minLength": 1, "x-note": {"a": 1}},
            'Must be at least 1 characters long. {x-note: {"a": 1}}',
        ),
        ({"type": "number", "minimum": 1, "exclusiveMinimum": True}, "Must be at least 1. {exclusiveMinimum: true}"),
    ],
)
def test_what_the_dialect_has_no_keyword_for_is_said_in_words(schema: Schema, words: str) -> None:
    assert field(schema) == {"description": words, "type": schema["type"]}
    assert field({**schema, "description": "The text."})["description"] == f"The text.\n\n{words}"


def test_lists_and_objects_have_their_rules_in_words() -> None:
    items = {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 3, "uniqueItems": True}
    assert field(items) == {
        "description": "Must be a list of at least 2 items, a list of at most 3 items, "
        "a list in which no two items are equal.",
        "type": "array",
        "items": TEXT,
    }
    bounded = {**of(a=TEXT), "minProperties": 1, "dependentRequired": {"a": ["b"]}}
    assert field(bounded)["description"] == (
        'Must be an object with at least 1 fields. {dependentRequired: {"a": ["b"]}}'
    )


@pytest.mark.parametrize("least", [0, 1])
def test_a_list_may_have_to_have_an_item(least: int) -> None:
    schema = {"type": "array", "items": TEXT, "minItems": least}
    assert field(schema) == schema


def test_one_of_is_any_of_and_says_that_it_is_exactly_one() -> None:
    assert field({"oneOf": [TEXT, {"type": "null"}], "description": "Maybe."}) == {
        "description": "Maybe.\n\nExactly one of the alternatives must be valid.",
        "anyOf": [TEXT, {"type": "null"}],
    }
    assert field({"oneOf": [TEXT]}) == {"anyOf": [TEXT]}


def test_a_list_of_types_becomes_any_of_with_each_rule_where_it_belongs() -> None:
    assert field({"type": ["string", "null"], "maxLength": 5, "description": "A name."}) == {
        "description": "A name.",
        "anyOf": [{"description": "Must be at most 5 characters long.", "type": "string"}, {"type": "null"}],
    }
    assert field({**of(a=TEXT), "type": ["object", "null"]}) == {"anyOf": [closed(a=TEXT), {"type": "null"}]}
    assert field({"type": ["string"]}) == TEXT


def test_the_values_of_an_enum_are_those_of_the_type_beside_it() -> None:
    assert field({"type": "string", "enum": ["a", 1, None]}) == {"enum": ["a"]}
    assert field({"type": ["integer", "null"], "enum": ["a", 1, 1.0, 1.5, True, None]}) == {"enum": [1, 1.0, None]}
    assert field({"type": "number", "enum": [1, 1.5, True]}) == {"enum": [1, 1.5]}
    assert field({"type": "boolean", "const": True}) == {"const": True}
    assert field({"type": "string", "const": 1}) is None


def test_a_type_beside_alternatives_goes_into_each() -> None:
    schema = {"type": "object", "oneOf": [{"properties": {"a": TEXT}}, of(b=TEXT)]}
    found = format_of(schema)
    assert found
    assert found["anyOf"] == [closed(a=TEXT), closed(b=TEXT)]
    by_name = {"type": "object", "anyOf": [{"$ref": "#/$defs/A"}], "$defs": {"A": of(a=TEXT)}}
    assert format_of(by_name) == {"anyOf": [{"$ref": "#/$defs/A"}], "$defs": {"A": closed(a=TEXT)}}


def test_definitions_are_read_under_their_old_name_and_only_those_in_use_are_sent() -> None:
    schema = {**of(it={"$ref": "#/definitions/a~1b"}), "definitions": {"a/b": TEXT, "unused": {"not": {}}}}
    assert format_of(schema) == {**closed(it={"$ref": "#/$defs/a~1b"}), "$defs": {"a/b": TEXT}}


def test_beside_a_reference_nothing_stands() -> None:
    definitions = {"A": TEXT}
    assert field({"$ref": "#/$defs/A", "description": "Its name."}, **{"$defs": definitions}) == {
        "description": "Its name.",
        "anyOf": [{"$ref": "#/$defs/A"}],
    }
    assert field({"allOf": [{"$ref": "#/$defs/A"}], "title": "Name"}, **{"$defs": definitions}) == {
        "title": "Name",
        "anyOf": [{"$ref": "#/$defs/A"}],
    }
    assert field({"$ref": "#/$defs/A", "type": "string"}, **{"$defs": definitions}) == {"$ref": "#/$defs/A"}
    assert field({"$ref": "#/$defs/A", "type": "null"}, **{"$defs": definitions}) is None


def test_a_reference_at_the_top_keeps_its_definition() -> None:
    schema = {"$ref": "#/$defs/A", "$defs": {"A": closed(a=TEXT)}}
    assert format_of(schema) == schema


def test_all_of_stays_for_plain_values_and_becomes_one_where_it_has_one_part() -> None:
    assert field({"type": "string", "allOf": [{"minLength": 2}, {"maxLength": 5}]}) == {
        "allOf": [
            {"description": "Must be at least 2 characters long.", "type": "string"},
            {"description": "Must be at most 5 characters long.", "type": "string"},
        ]
    }
    assert field({"allOf": [of(a=TEXT)], "description": "One."}) == {"description": "One.", **closed(a=TEXT)}
    assert field({"allOf": [{"properties": {"a": TEXT}}], "type": "object"}) == closed(a=TEXT)


def test_what_says_nothing_of_an_output_is_left_out() -> None:
    top = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.com/s", "$comment": "c"}
    assert format_of({**top, **of(a={**TEXT, "$comment": "x"})}) == closed(a=TEXT)


def test_an_output_is_an_object_whether_the_schema_says_so_or_not() -> None:
    assert format_of({"properties": {"a": TEXT}}) == closed(a=TEXT)
    assert format_of({**of(a=TEXT), "type": ["object", "null"]}) == closed(a=TEXT)
    assert format_of({"anyOf": [{"properties": {"a": TEXT}}]}) == {"anyOf": [closed(a=TEXT)]}


BEYOND = {
    "an open object": {"type": "object"},
    "an object of any fields": {"type": "object", "additionalProperties": True, "properties": {"a": TEXT}},
    "a map": {"type": "object", "additionalProperties": TEXT},
    "an object that lists no field": {"type": "object", "properties": {}},
    "unevaluated fields": {**of(a=TEXT), "unevaluatedProperties": TEXT},
    "fields by pattern": {**of(a=TEXT), "patternProperties": {"^x": TEXT}},
    "names by pattern": {**of(a=TEXT), "propertyNames": {"maxLength": 3}},
    "a required field that is not listed": {**of(a=TEXT), "required": ["b"]},
    "required as draft 03 has it": {**TEXT, "required": True},
    "not": {**TEXT, "not": {"const": "x"}},
    "if": {**TEXT, "if": {"const": "x"}, "then": {}},
    "a tuple": {"type": "array", "prefixItems": [TEXT]},
    "a tuple of old": {"type": "array", "items": [TEXT]},
    "a list of anything": {"type": "array"},
    "a list that contains": {"type": "array", "items": TEXT, "contains": {"const": "x"}},
    "no type": {"description": "Anything."},
    "anything": True,
    "nothing": False,
    "any, as draft 03 has it": {"type": "any"},
    "a type that is a schema": {"type": ["string", {"type": "null"}]},
    "an object as a value": {"enum": ["a", {"b": 1}]},
    "a list as a value": {"const": []},
    "no value": {"type": "string", "enum": [1]},
    "two kinds of values": {"enum": ["a"], "const": "a"},
    "fields beside alternatives": {**of(a=TEXT), "anyOf": [{"required": ["a"]}]},
    "two kinds of alternatives": {"anyOf": [TEXT], "oneOf": [TEXT]},
    "an alternative of another type": {"type": "string", "anyOf": [{"type": "integer"}]},
    "all of two objects": {"allOf": [of(a=TEXT), of(b=TEXT)]},
    "fields apart from what closes them": {"additionalProperties": False, "allOf": [of(a=TEXT)]},
    "an id": {"$id": "https://example.com/part", **TEXT},
    "definitions in depth": {**TEXT, "$defs": {"A": TEXT}},
    "a reference to a place": {"$ref": "#/properties/other"},
    "a reference to an anchor": {"$ref": "#here"},
    "a reference to everything": {"$ref": "#"},
    "a reference to nothing": {"$ref": "#/$defs/Nobody"},
    "a dynamic reference": {"$dynamicRef": "#/$defs/A"},
    "itself": {"$ref": "#/$defs/Loop"},
    "itself, by another": {"$ref": "#/$defs/There"},
}
DEFINITIONS = {
    "A": TEXT,
    "Loop": of(again={"$ref": "#/$defs/Loop"}),
    "There": of(back={"$ref": "#/$defs/Back"}),
    "Back": {"type": "array", "items": {"$ref": "#/$defs/There"}},
}


@pytest.mark.parametrize("schema", BEYOND.values(), ids=BEYOND)
def test_what_the_dialect_cannot_say_is_left_to_the_prompt(schema: Any) -> None:
    assert format_of({**of(it=schema, other=TEXT), "$defs": DEFINITIONS}) is None


@pytest.mark.parametrize("file", BUNDLED, ids=lambda file: file.parent.name)
def test_the_output_of_each_bundled_skill_can_be_said(file: Path) -> None:
    assert format_of(json.loads(file.read_text("utf-8")))


def test_a_name_that_stands_for_two_definitions_is_left_to_the_prompt() -> None:
    assert format_of({**of(it={"$ref": "#/$defs/A"}), "$defs": {"A": TEXT}, "definitions": {"A": TEXT}}) is None


def test_more_optional_fields_or_unions_than_the_api_takes_are_left_to_the_prompt() -> None:
    def many(schema: Schema, count: int, *, required: bool = False) -> Schema:
        names = [f"f{number}" for number in range(count)]
        return {**of(**dict.fromkeys(names, schema)), "required": names if required else []}

    assert format_of(many(TEXT, 24))
    assert format_of(many(TEXT, 25)) is None
    assert format_of(many(TEXT, 25, required=True))
    either = {"type": ["string", "null"]}
    assert format_of(many(either, 16, required=True))
    assert format_of(many(either, 17, required=True)) is None
    of_definition = {"type": "array", "items": {"$ref": "#/$defs/Half"}}
    halves = {"$defs": {"Half": many(TEXT, 11)}}
    assert format_of({**many(of_definition, 2), **halves})
    assert format_of({**many(of_definition, 3), **halves}) is None


def test_a_schema_that_refers_to_much_many_times_is_counted_at_once() -> None:
    def level(number: int) -> Schema:
        below = {"$ref": f"#/$defs/{number + 1}"} if number < 60 else TEXT
        return {**of(a=below, b=below), "required": ["a", "b"]}

    definitions = {str(number): level(number) for number in range(61)}
    assert format_of({"$ref": "#/$defs/0", "$defs": definitions})
    definitions["60"] = of(a=TEXT)
    assert format_of({"$ref": "#/$defs/0", "$defs": definitions}) is None


WORDS = st.dictionaries(st.sampled_from(["title", "description", "default", "x-more"]), st.text(max_size=3), max_size=2)
VALUES = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from([0.5, -2.0]), st.text(max_size=3))
COUNTS = st.integers(0, 3)
RULES: dict[str, dict[str, SearchStrategy[Any]]] = {
    "string": {"minLength": COUNTS, "pattern": st.just("^a"), "format": st.sampled_from(["date", "iban"])},
    "integer": {"minimum": st.integers(-9, 9), "multipleOf": st.just(3)},
    "number": {"exclusiveMaximum": st.integers(-9, 9)},
    "boolean": {},
    "null": {},
}


def ruled(kind: str) -> SearchStrategy[Schema]:
    return st.fixed_dictionaries({"type": st.just(kind)}, optional=RULES[kind])


def compound(parts: SearchStrategy[Schema]) -> SearchStrategy[Schema]:
    several = st.lists(parts, min_size=1, max_size=3)
    return st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("array"), "items": parts}, optional={"minItems": COUNTS, "maxItems": COUNTS}
        ),
        st.fixed_dictionaries({"anyOf": several}),
        st.fixed_dictionaries({"oneOf": several}),
        st.fixed_dictionaries({"allOf": several}),
        objects(parts),
        st.sampled_from([{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]),
        st.fixed_dictionaries({"type": st.lists(st.sampled_from([*RULES]), min_size=1, unique=True)}),
        st.sampled_from([{"not": TEXT}, {"type": "object"}, {}]),
    )


@st.composite
def objects(draw: Any, parts: SearchStrategy[Schema]) -> Schema:
    properties = draw(st.dictionaries(st.sampled_from("abc"), parts, max_size=3))
    required = draw(st.lists(st.sampled_from(sorted(properties)), unique=True)) if properties else []
    more = draw(st.sampled_from([{}, {"additionalProperties": False}, {"minProperties": 1}]))
    return {"type": "object", "properties": properties, "required": required, **more}


LEAVES = st.one_of(
    *map(ruled, RULES),
    st.fixed_dictionaries({"enum": st.lists(VALUES, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"const": VALUES}),
)
PARTS = st.recursive(LEAVES, lambda parts: st.builds(lambda part, words: {**words, **part}, compound(parts), WORDS))
SCHEMAS = st.builds(lambda top, a, b: {**top, "$defs": {"A": a, "B": b}}, objects(PARTS), LEAVES, objects(PARTS))


def parts_of(schema: Schema) -> list[Schema]:
    """The schema, and all the schemas in it."""
    below = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    below += [*schema.get("anyOf", ()), *schema.get("allOf", ()), *([schema["items"]] if "items" in schema else ())]
    return [schema, *(part for each in below for part in parts_of(each))]


@given(SCHEMAS)
def test_a_translation_has_keywords_of_the_dialect_only(schema: Schema) -> None:
    found = format_of(schema)
    for part in parts_of(found) if found else ():
        assert part.keys() <= KEYWORDS
        assert part.get("type") != "object" or part["additionalProperties"] is False
        assert "$ref" not in part or part.keys() <= {"$ref", "$defs"}
        assert part.get("minItems", 0) in (0, 1)


@given(SCHEMAS)
def test_a_translation_is_a_valid_schema_and_its_own_translation(schema: Schema) -> None:
    found = format_of(schema)
    if found and not schema_fault(schema):
        assert schema_fault(found) is None
        assert format_of(found) == found
        assert json.dumps(format_of(schema)) == json.dumps(found)


@st.composite
def instances(draw: Any, schema: Schema, definitions: Schema) -> Any:
    """An instance of a schema of the dialect, without ``allOf``."""
    below = lambda part: instances(part, definitions)  # noqa: E731
    if "$ref" in schema:
        return draw(below(definitions[schema["$ref"].rpartition("/")[2]]))
    if "const" in schema or "enum" in schema:
        return draw(st.sampled_from(schema.get("enum") or [schema["const"]]))
    if "anyOf" in schema:
        return draw(st.sampled_from(schema["anyOf"]).flatmap(below))
    if schema["type"] == "array":
        return draw(st.lists(below(schema["items"]), min_size=schema.get("minItems", 0), max_size=3))
    if schema["type"] == "object":
        kept = {name for name in schema["properties"] if name in schema.get("required", ()) or draw(st.booleans())}
        return {name: draw(below(part)) for name, part in schema["properties"].items() if name in kept}
    plain = {"string": st.text(max_size=4), "integer": st.integers(-9, 9), "number": st.floats(-9, 9)}
    return draw(plain.get(schema["type"], st.booleans() if schema["type"] == "boolean" else st.none()))


def without_words(schema: Any) -> Any:
    """The original without the rules that the dialect says in words."""
    if isinstance(schema, list):
        return [without_words(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    rules = {"minLength", "pattern", "format", "minimum", "multipleOf", "exclusiveMaximum", "maxItems", "minProperties"}
    kept = {name: value for name, value in schema.items() if name not in rules}
    if isinstance(kept.get("minItems"), int) and kept["minItems"] > 1:
        del kept["minItems"]
    if "oneOf" in kept:
        kept["anyOf"] = kept.pop("oneOf")
    return {name: without_words(value) for name, value in kept.items()}


@given(SCHEMAS, st.data())
def test_what_a_translation_allows_the_original_allows_but_for_what_is_said_in_words(
    schema: Schema, data: st.DataObject
) -> None:
    found = format_of(schema)
    if found and not any("allOf" in part for part in parts_of(found)):
        instance = data.draw(instances(found, found.get("$defs", {})))
        assert validator_of(found).is_valid(instance)
        assert validator_of(without_words(schema)).is_valid(instance)


@given(SCHEMAS, st.data())
def test_what_the_original_allows_the_translation_allows_if_it_has_no_other_fields(
    schema: Schema, data: st.DataObject
) -> None:
    found = format_of(schema)
    if found and not any("allOf" in part for part in parts_of(found)):
        instance = data.draw(instances(found, found.get("$defs", {})))
        changed = {**instance, data.draw(st.sampled_from("abcd")): data.draw(VALUES)}
        if validator_of(without_words(schema)).is_valid(changed) and changed.keys() <= found["properties"].keys():
            assert validator_of(found).is_valid(changed)


@given(st.sampled_from([*RULES]).flatmap(ruled))
def test_every_rule_that_is_taken_out_is_said(part: Schema) -> None:
    found = field(part)
    for name, value in part.items():
        assert found.get(name) == value or json.dumps(value) in found["description"]


def test_the_prompt_has_the_whole_schema() -> None:
    schema = of(näme={"type": "string", "pattern": "^x"})
    words, _, written = in_words(schema).partition(": ")
    assert words == ("Answer with one JSON object and nothing else, no code fence. It must satisfy this JSON Schema")
    assert json.loads(written) == schema
    assert "näme" in written


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', {"a": 1}),
        (' \n {"a": [null]}\n\n', {"a": [None]}),
        ("{}", {}),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('```\n{"a": "```"}\n```\n', {"a": "```"}),
        ('```JSON-5 {"a": 1} ```', {"a": 1}),
        ('{"a": "\ud800"}', {"a": "\ufffd"}),
        ("", None),
        ("   ", None),
        ("Here it is: {}", None),
        ("[]", None),
        ("null", None),
        ('{"a": 1} {"b": 2}', None),
        ('{"a": 1', None),
        ('{"a": 1, "a": 2}', None),
        ('{"a": NaN}', None),
        ('{"a": 1e999}', None),
        ("```", None),
        ("```json", None),
        ("``````", None),
        ("```json\n{}", None),
        ("{" * 5000, None),
    ],
)
def test_an_answer_is_read_as_one_object_or_as_none(text: str, expected: Any) -> None:
    assert output_of(text) == expected


ANY_KEYWORDS = [
    "$defs",
    "definitions",
    "$ref",
    "type",
    "properties",
    "required",
    "items",
    "anyOf",
    "oneOf",
    "allOf",
    "enum",
]
ANY_KEYWORDS += ["const", "additionalProperties", "unevaluatedProperties", "title", "description", "minItems", "format"]
ANY_FORM = st.recursive(
    st.sampled_from([None, True, 5, 1e999, "", "object", "array", "#/$defs/a", "#/definitions/a"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ANY_KEYWORDS, "a"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(schema=st.dictionaries(st.sampled_from(ANY_KEYWORDS), ANY_FORM, max_size=5))
def test_a_keyword_of_any_form_is_no_failure(schema: dict[str, Any]) -> None:
    format_of(schema)


@pytest.mark.parametrize("keyword", ["$defs", "definitions"])
def test_definitions_that_are_none_in_the_schemas_own_draft_are_words_for_the_prompt(keyword: str) -> None:
    draft = "http://json-schema.org/draft-03/schema#"
    assert format_of({"$schema": draft, "type": "object", "properties": {}, keyword: 5}) is None
