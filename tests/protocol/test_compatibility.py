"""Within v1 things are only added: the frozen schemas are what has been promised to callers and readers."""

import copy
import json
from pathlib import Path

import pytest

from agent_workers.protocol.compatibility import breaks
from agent_workers.workers.schema import export

FROZEN = Path(__file__).parent / "frozen"

ADVICE = """this would break callers or readers of v1:
  {}
Add a new optional field or a new event type instead, or make it v2 in a new folder.
tests/protocol/frozen/ is what has been promised: after an addition (and only then) refresh it by
  cp -r schemas/v1 tests/protocol/frozen/
so that the addition is kept from now on, too. Never refresh it to silence this test."""


def frozen():
    return {path.relative_to(FROZEN).as_posix(): json.loads(path.read_text()) for path in FROZEN.rglob("*.schema.json")}


def test_the_models_keep_every_promise_of_v1():
    found = breaks(frozen(), {name: json.loads(text) for name, text in export().items()})
    assert not found, ADVICE.format("\n  ".join(found))


def test_the_frozen_schemas_are_complete():
    assert {"v1/request.schema.json", "v1/control.schema.json", "v1/event.schema.json"} < frozen().keys()
    assert len(frozen()) >= 21


def after(change):
    """What a change, made to a copy of the frozen schemas, is found to break."""
    old = frozen()
    new = copy.deepcopy(old)
    change(new)
    assert new != old, "the change changes nothing"
    return breaks(old, new)


def edit(name, path, value=...):
    """A change that sets (or, with no value, removes) what stands at a path of a file."""

    def change(schemas):
        place = schemas[f"v1/{name}.schema.json"]
        *parents, last = path.split(".")
        for step in parents:
            place = place[int(step) if step.isdigit() else step]
        if value is ...:
            del place[int(last) if last.isdigit() else last]
        else:
            place[last] = value

    return change


def append(name, path, value):
    def change(schemas):
        place = schemas[f"v1/{name}.schema.json"]
        for step in path.split("."):
            place = place.setdefault(step, []) if step in {"required", "oneOf"} else place[step]
        place.append(value)

    return change


def remove(name, path, value):
    def change(schemas):
        place = schemas[f"v1/{name}.schema.json"]
        for step in path.split("."):
            place = place[step]
        place.remove(value)

    return change


def without_event_type(schemas):
    del schemas["v1/events/ping.schema.json"]


def without_case(schemas):
    cases = schemas["v1/event.schema.json"]["allOf"]
    cases[:] = [case for case in cases if case["if"]["properties"]["type"]["const"] != "ping"]


def with_event_type(schemas):
    schemas["v1/events/hint.schema.json"] = {"type": "object", "properties": {"text": {"type": "string"}}}
    event = schemas["v1/event.schema.json"]
    condition = {"properties": {"type": {"const": "hint"}}, "required": ["type"]}
    event["allOf"].append({"if": condition, "then": {"$ref": "#/$defs/Hint"}})
    event["$defs"]["Hint"] = {"type": "object", "properties": {"text": {"type": "string"}}}


BREAKING_A_CALLER = {
    "a field is gone": edit("request", "properties.thinking"),
    "a nested field is gone": edit("request", "$defs.Limits.properties.idle_timeout_s"),
    "a field is newly required": append("request", "required", "run"),
    "a nested field is newly required": append("request", "$defs.Limits.required", "timeout_s"),
    "a type is narrowed": edit("request", "$defs.Limits.properties.timeout_s.type", "integer"),
    "a type is another": edit("request", "properties.thinking.type", "string"),
    "a value is no longer allowed": remove("request", "$defs.Base64Image.properties.media_type.enum", "image/gif"),
    "a free text becomes a choice": edit("request", "properties.model.enum", ["a", "b"]),
    "a constant is another": edit("request", "properties.v.const", 2),
    "a minimum is raised": edit("request", "properties.max_turns.minimum", 2),
    "a maximum is lowered": edit("request", "$defs.Stream.properties.ping_s.maximum", 60),
    "a maximum is new": edit("request", "properties.max_turns.maximum", 100),
    "a length is limited": edit("request", "$defs.TextBlock.properties.text.maxLength", 1000),
    "a list is limited": edit("request", "properties.app_tools.maxItems", 10),
    "a pattern is another": edit("request", "properties.run.pattern", "^[a-z]+$"),
    "a pattern is new": edit("request", "$defs.TextBlock.properties.text.pattern", "^[a-z]+$"),
    "a default is another": edit("request", "$defs.Limits.properties.timeout_s.default", 30),
    "a default is gone": edit("request", "$defs.Stream.properties.partial.default"),
    "a kind of block is gone": edit("request", "properties.prompt.oneOf.1.items.oneOf.2"),
    "a prompt is no longer a string": edit("request", "properties.prompt.oneOf.0"),
    "a session is no longer begun": edit("request", "properties.session.oneOf.1"),
    "free data is restricted": edit("request", "properties.metadata.properties", {"user": {"type": "string"}}),
    "free data is shut": edit("request", "properties.metadata.additionalProperties", False),
    "a control message is gone": edit("control", "oneOf.1"),
    "a decision is gone": remove("control", "$defs.Permission.properties.behavior.enum", "deny"),
    "a field of another worker's request is newly required": append("task-request", "required", "run"),
    "a control field is newly required": append("control", "$defs.Abort.required", "reason"),
}
BREAKING_A_READER = {
    "an event type is gone": without_event_type,
    "an event type is no longer checked": without_case,
    "a field is gone": edit("events/delta", "properties.block"),
    "a field is gone from the common schema": edit("event", "$defs.Delta.properties.block"),
    "an optional field is gone": edit("events/done", "properties.cost_usd"),
    "a nested field is gone": edit("events/done", "$defs.Usage.properties.input_tokens"),
    "a field of a list's items is gone": edit("events/error", "$defs.Problem.properties.pointer"),
    "a field of a map's values is gone": edit("events/done", "$defs.ModelUsage.properties.cost_usd"),
    "a field is no longer required": remove("events/delta", "required", "block"),
    "a field of an event called a request is no longer required": remove(
        "events/permission_request", "required", "input"
    ),
    "a field of the envelope is no longer required": remove("event", "required", "seq"),
    "a type is widened": edit("events/delta", "properties.block.type", "number"),
    "a type is another": edit("events/ack", "properties.id.type", "integer"),
    "items are another type": edit("events/session", "properties.tools.items.type", "object"),
    "a field may be of two types": edit(
        "events/tool_result", "properties.content", {"oneOf": [{"type": "string"}, {"type": "array"}]}
    ),
    "a closed set gets a value": append("events/aborted", "properties.reason.enum", "boredom"),
    "a closed set loses a value": remove("events/aborted", "properties.reason.enum", "signal"),
    "a closed set is opened": edit("events/notice", "properties.level.enum"),
    "a version is another": edit("events/delta", "properties.v.const", 2),
    "a minimum is gone": edit("events/ping", "properties.idle_ms.minimum"),
    "a maximum is raised": edit("events/retry", "properties.http_status.maximum", 999),
    "a time is written differently": edit("events/ping", "properties.ts.pattern", "^[0-9]+$"),
    "a time may be anything": edit("events/ping", "properties.ts.pattern"),
}
ADDITIONS = {
    "an event type": with_event_type,
    "an optional field of an event": edit("events/delta", "properties.language", {"type": "string"}),
    "a required field of an event": append("events/delta", "required", "text"),
    "an optional field of a request": edit("request", "properties.language", {"type": "string"}),
    "an optional field of a nested object": edit("request", "$defs.Limits.properties.tokens", {"type": "integer"}),
    "a field that need no longer be sent": remove("request", "required", "prompt"),
    "a value that may be sent": append("request", "$defs.Base64Image.properties.media_type.enum", "image/avif"),
    "a type that may be sent": edit("request", "properties.max_turns.type", "number"),
    "a minimum is lowered for callers": edit("request", "properties.max_turns.minimum", 0),
    "a maximum is raised for callers": edit("request", "$defs.Stream.properties.ping_s.maximum", 7200),
    "a pattern is dropped for callers": edit("request", "properties.run.pattern"),
    "a shape that may be sent": append("request", "properties.prompt.oneOf", {"type": "integer"}),
    "an alternative to the only shape": edit(
        "request", "properties.model", {"oneOf": [{"type": "string"}, {"type": "array"}]}
    ),
    "a control message": append("control", "oneOf", {"type": "object", "required": ["pause"]}),
    "a known value of an open set": append("events/error", "properties.code.examples", "on_fire"),
    "a field that is deprecated": edit("events/delta", "properties.block.deprecated", True),
    "other words": edit("events/error", "description", "Something went wrong."),
}


@pytest.mark.parametrize("change", BREAKING_A_CALLER.values(), ids=BREAKING_A_CALLER)
def test_what_breaks_a_caller_is_found(change):
    assert len(after(change)) >= 1


@pytest.mark.parametrize("change", BREAKING_A_READER.values(), ids=BREAKING_A_READER)
def test_what_breaks_a_reader_is_found(change):
    assert len(after(change)) >= 1


@pytest.mark.parametrize("change", ADDITIONS.values(), ids=ADDITIONS)
def test_additions_are_allowed(change):
    assert after(change) == []


def test_nothing_breaks_when_nothing_changes():
    assert breaks(frozen(), frozen()) == []


def test_a_break_is_told_with_its_place():
    assert after(edit("request", "$defs.Limits.properties.timeout_s.maximum", 60)) == [
        "v1/request.schema.json/limits/timeout_s: maximum 604800 became 60"
    ]
    assert after(edit("request", "properties.prompt.oneOf.1.items.oneOf.2")) == [
        "v1/request.schema.json/prompt (array)/*: object document is no longer possible"
    ]
    assert after(edit("events/done", "$defs.Usage.properties.input_tokens")) == [
        "v1/events/done.schema.json/usage/input_tokens: was removed"
    ]
    assert after(without_event_type) == ["v1/events/ping.schema.json: was removed"]
