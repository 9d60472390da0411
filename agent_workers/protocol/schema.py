"""The contract as JSON Schema 2020-12, generated from the models."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from agent_workers.protocol.asyncapi import document
from agent_workers.protocol.schema_style import Style, in_order
from agent_workers.protocol.v1 import VERSION
from agent_workers.protocol.v1.control import MESSAGES
from agent_workers.protocol.v1.events import BODIES, Body, Envelope

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = f"v{VERSION}"
ASYNCAPI = f"{FOLDER}/asyncapi.json"
_SOURCE = "agent_workers.protocol.v1"
_ANY_EVENT = (
    "One line of a run's output. Known types are checked field by field; events of an unknown type "
    "and unknown fields pass, and readers ignore them."
)
_ANY_JOB = (
    "A request that waits for a machine: the fields of its worker's request, and beside them, flat, how it waits and "
    "how often it is tried."
)
_ANY_MESSAGE = "One line that the caller writes to stdin, after the request, under --control."


def export(requests: Mapping[str, type[BaseModel]], jobs: Sequence[type[BaseModel]] = ()) -> dict[str, str]:
    """Returns every schema file: its path, such as ``v1/events/delta.schema.json``, and its text in ASCII.

    Args:
        requests: The models of the workers' requests, by the names of their schemas.
        jobs: The models of the workers' jobs.
    """
    schemas = _schemas(requests) | ({"job": _job(jobs)} if jobs else {})
    return {f"{FOLDER}/{name}.schema.json": _text(schema) for name, schema in schemas.items()}


def asyncapi(requests: Mapping[str, type[BaseModel]]) -> str:
    """Returns the text of the AsyncAPI document of the same schemas."""
    ordered = {name: in_order(schema) for name, schema in _schemas(requests).items()}
    return _json(document(ordered))


def _schemas(requests: Mapping[str, type[BaseModel]]) -> dict[str, Schema]:
    schemas = {name: _request(name, model) for name, model in requests.items()}
    schemas |= {"event": _event(), "control": _control()}
    return schemas | {f"events/{name}": _event_of_type(name, kind) for name, kind in BODIES.items()}


def _request(name: str, model: type[BaseModel]) -> Schema:
    schema = model.model_json_schema(schema_generator=Style)
    source = f"{model.__module__}.{model.__name__}"
    return _head(name, schema["title"], schema["description"], source) | schema


def _job(kinds: Sequence[type[BaseModel]]) -> Schema:
    branches = [{"$ref": f"#/$defs/{kind.__name__}"} for kind in kinds]
    head = _head("job", "Job", _ANY_JOB, f"{_SOURCE}.job")
    return {**head, "type": "object", "oneOf": branches, "$defs": _definitions(list(kinds))}


def _control() -> Schema:
    definitions = _definitions(list(MESSAGES.values()))
    branches = [{"$ref": f"#/$defs/{kind.__name__}"} for kind in MESSAGES.values()]
    head = _head("control", "ControlMessage", _ANY_MESSAGE, f"{_SOURCE}.control")
    return {**head, "type": "object", "oneOf": branches, "$defs": definitions}


def _event() -> Schema:
    definitions = _open(_definitions([Envelope, *BODIES.values()]))
    envelope = definitions.pop("Envelope")
    for kind in BODIES.values():
        definitions[kind.__name__] = _body(definitions[kind.__name__])
    cases = [_case(name, kind) for name, kind in BODIES.items()]
    head = _head("event", "Event", _ANY_EVENT, f"{_SOURCE}.events")
    return {**head, **_fields(envelope), "allOf": cases, "$defs": definitions}


def _case(name: str, kind: type[Body]) -> Schema:
    return {
        "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
        "then": {"$ref": f"#/$defs/{kind.__name__}"},
    }


def _event_of_type(name: str, kind: type[Body]) -> Schema:
    definitions = _open(_definitions([Envelope, kind]))
    envelope, body = definitions.pop("Envelope"), _body(definitions.pop(kind.__name__))
    head = _head(f"event:{name}", body["title"], body["description"], f"{_SOURCE}.events.{kind.__name__}")
    properties = envelope["properties"] | body["properties"]
    required = envelope["required"] + body["required"][1:]
    schema = {**head, "type": "object", "properties": properties, "required": required}
    return schema | ({"$defs": definitions} if definitions else {})


def _definitions(kinds: list[type[BaseModel]]) -> Schema:
    modes = [(kind, "validation") for kind in kinds]
    _, schema = models_json_schema(modes, schema_generator=Style)  # type: ignore[arg-type]  # a list is invariant
    definitions: Schema = schema["$defs"]
    return definitions


def _open(definitions: Schema) -> Schema:
    """Models refuse unknown fields so that no engine invents any; readers of events must let them pass."""
    return {
        name: {key: value for key, value in schema.items() if key != "additionalProperties"}
        for name, schema in definitions.items()
    }


def _body(schema: Schema) -> Schema:
    """Returns the schema of a model as it is on the wire: `type` is always there, `truncated_bytes` comes last."""
    fields = dict(schema["properties"])
    cut = {"truncated_bytes": fields.pop("truncated_bytes")}
    kind = {"type": {"description": "Type of the event.", "type": "string", "const": fields["type"]["const"]}}
    return schema | {"properties": fields | kind | cut, "required": ["type", *schema.get("required", [])]}


def _fields(schema: Schema) -> Schema:
    return {key: schema[key] for key in ("type", "properties", "required")}


def _head(name: str, title: str, description: str, source: str) -> Schema:
    return {
        "$schema": _DIALECT,
        "$id": f"urn:agent-workers:v{VERSION}:{name}",
        "$comment": f"Generated from {source} by `make schema`. Do not edit.",
        "title": title,
        "description": description,
    }


def _text(schema: Schema) -> str:
    return _json(in_order(schema))


def _json(document: Schema) -> str:
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"
