"""Schema and model take the same documents, whatever is thrown at them.

JSON Schema cannot say two things, which the models check on top: the size of `metadata`, and that the names
of `app_tools` differ. Documents that touch on these are passed over here.
"""

import copy
import json
import math
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from agent_workers.protocol.v1.control import InvalidControl, parse_control
from agent_workers.protocol.v1.events import BODIES, envelop
from agent_workers.protocol.v1.request import RequestProblems, parse_request

SCHEMAS = Path(__file__).parents[2] / "schemas/v1"
FILES = sorted((SCHEMAS.parents[1] / "examples/requests").glob("*.json"))
EXAMPLES = [document for document in (json.loads(file.read_text()) for file in FILES) if "input" not in document]
UUID = "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34"

thoroughly = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def adapted(schema: Any) -> Any:
    """In Python's regular expressions `$` also matches before a last newline; in ECMAScript's it does not."""
    if isinstance(schema, list):
        return [adapted(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: re.sub(r"\$\Z", r"\\Z", value) if key == "pattern" and isinstance(value, str) else adapted(value)
        for key, value in schema.items()
    }


@cache
def load(name: str) -> Any:
    """A schema, which nobody changes."""
    return adapted(json.loads((SCHEMAS / f"{name}.schema.json").read_text()))


SCALARS = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        1,
        1.0,
        2,
        -1,
        0.5,
        1e300,
        "",
        "a",
        "-a",
        "a b",
        "a\n",
        "\0",
        "text",
        "base64",
        UUID,
        [],
        {},
    ]
)
JUNK = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2))


def documents_of(schema: Any, root: Any) -> st.SearchStrategy[Any]:
    """Documents that are valid by a schema; for the keywords that ours use.

    hypothesis-jsonschema would do this for any schema, but reaches into internals that hypothesis has since changed.
    """
    if "$ref" in schema:
        return documents_of(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "oneOf" in schema:
        return st.one_of([documents_of(branch, root) for branch in schema["oneOf"]])
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    kinds = {"object": objects, "array": lists, "string": texts, "integer": numbers, "number": numbers}
    kind = kinds.get(schema.get("type"))
    return kind(schema, root) if kind else st.booleans() if schema.get("type") == "boolean" else JUNK


def objects(schema: Any, root: Any) -> st.SearchStrategy[Any]:
    fields = {name: documents_of(field, root) for name, field in schema.get("properties", {}).items()}
    required = {name: fields.pop(name) for name in schema.get("required", [])}
    known = st.fixed_dictionaries(required, optional=fields)
    if schema.get("additionalProperties") is False:
        return known
    others = schema.get("additionalProperties")
    least = schema.get("minProperties", 0)
    unknown = st.dictionaries(st.text(), documents_of(others, root) if others else JUNK, min_size=least, max_size=3)
    return st.builds(lambda extra, fixed: {**extra, **fixed}, unknown, known)


def lists(schema: Any, root: Any) -> st.SearchStrategy[Any]:
    return st.lists(documents_of(schema["items"], root), min_size=schema.get("minItems", 0), max_size=4)


def texts(schema: Any, root: Any) -> st.SearchStrategy[Any]:
    if "pattern" in schema:
        found = st.from_regex(schema["pattern"], fullmatch=True)
        unwanted = schema.get("not", {}).get("pattern")
        return found.filter(lambda text: not re.search(unwanted, text)) if unwanted else found
    return st.text(min_size=schema.get("minLength", 0), max_size=schema.get("maxLength"))


def numbers(schema: Any, root: Any) -> st.SearchStrategy[Any]:
    lowest, highest = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    above = "exclusiveMinimum" in schema
    whole = st.integers(math.ceil(lowest) if not above else math.floor(lowest) + 1, highest)
    if schema["type"] == "integer":
        return whole | whole.filter(lambda number: number < 1e15).map(float)
    return whole | st.floats(lowest, highest, exclude_min=above, allow_nan=False, allow_infinity=False)


def generated(name: str) -> st.SearchStrategy[Any]:
    schema = load(name)
    return documents_of(schema, schema)


REQUEST = Draft202012Validator(load("request"))
CONTROL = Draft202012Validator(load("control"))

NAMES = st.sampled_from(
    ["v", "run", "prompt", "type", "text", "source", "id", "resume", "fork", "limits", "x", "content"]
)


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = document.items() if isinstance(document, dict) else ()
    children = enumerate(document) if isinstance(document, list) else children
    return [path, *(found for step, child in children for found in places(child, (*path, step)))]


@st.composite
def mutated(draw: st.DrawFn, documents: st.SearchStrategy[Any]) -> Any:
    document = copy.deepcopy(draw(documents))
    for _ in range(draw(st.integers(1, 3))):
        document = changed(draw, document, draw(st.sampled_from(places(document))))
    return document


def changed(draw: st.DrawFn, document: Any, place: tuple[Any, ...]) -> Any:
    if not place:
        return document | {draw(NAMES): draw(JUNK)} if isinstance(document, dict) else draw(JUNK)
    parent = document
    for step in place[:-1]:
        parent = parent[step]
    if isinstance(parent, dict) and draw(st.booleans()):
        value = parent.pop(place[-1])
        if draw(st.booleans()):
            parent[draw(NAMES)] = value
    else:
        parent[place[-1]] = draw(JUNK)
    return document


def is_beyond_json_schema(request: Any) -> bool:
    if not isinstance(request, dict):
        return False
    tools = request.get("app_tools")
    names = (
        [json.dumps(tool.get("name")) for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    )
    return len(names) != len(set(names)) or len(json.dumps(request.get("metadata"))) > 16_000


def is_request(document: Any) -> bool:
    try:
        parse_request(document)
    except RequestProblems as refused:
        return not refused.problems
    return True


def is_control(document: Any) -> bool:
    try:
        parse_control(json.dumps(document).encode())
    except InvalidControl:
        return False
    return True


def assert_same_verdict(document: Any) -> None:
    if not is_beyond_json_schema(document):
        errors = [error.message for error in REQUEST.iter_errors(document)]
        assert is_request(document) == (not errors), errors


requests = generated("request") | st.sampled_from(EXAMPLES)


@thoroughly
@given(generated("request"))
def test_what_the_request_schema_generates_the_model_accepts(document):
    assert is_request(document) or is_beyond_json_schema(document)


@thoroughly
@given(mutated(requests))
def test_schema_and_model_agree_on_damaged_requests(document):
    assert_same_verdict(document)


@thoroughly
@given(st.dictionaries(NAMES, JUNK) | JUNK)
def test_schema_and_model_agree_on_junk(document):
    assert_same_verdict(document)


@pytest.mark.parametrize("field", json.loads((SCHEMAS / "request.schema.json").read_text())["properties"])
@thoroughly
@given(data=st.data())
def test_schema_and_model_agree_on_each_field(field, data):
    assert_same_verdict({"prompt": "Hello", field: data.draw(values_of(field))})


@cache
def values_of(field: str) -> st.SearchStrategy[Any]:
    schema = load("request")
    return documents_of(schema["properties"][field], schema) | JUNK


@thoroughly
@given(generated("control"))
def test_what_the_control_schema_generates_the_models_accept(document):
    assert is_control(document)


@thoroughly
@given(mutated(generated("control")))
def test_schema_and_models_agree_on_damaged_control_messages(document):
    assert is_control(document) == CONTROL.is_valid(document)


def closed(schema: Any) -> Any:
    """Without the fields that a later version may add: the models, which write events, refuse these."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    shut = {"additionalProperties": False} if "properties" in schema else {}
    return {key: closed(value) for key, value in (schema | shut).items()}


@pytest.mark.parametrize("name", BODIES)
@settings(thoroughly, max_examples=40)
@given(data=st.data())
def test_what_a_body_can_hold_is_valid_on_the_wire(name, data):
    event = data.draw(events_of(name))
    fields = {key: value for key, value in event.items() if key not in {"v", "seq", "run", "ts", "prev"}}
    try:
        body = BODIES[name].model_validate(fields)
    except ValidationError as error:
        # The one thing readers must take and we never write: a whole number as a float.
        assert {fault["type"] for fault in error.errors()} == {"int_type"}  # noqa: PT017 it need not be raised
        return
    wire = envelop(body.to_wire(), seq=1, run="r", ts="2026-11-20T23:19:00.004Z")
    validator(f"events/{name}").validate(wire)
    validator("event").validate(wire)


@cache
def events_of(name: str) -> st.SearchStrategy[Any]:
    schema = closed(load(f"events/{name}"))
    return documents_of(schema, schema)


@cache
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(load(name))
