"""The contract as one AsyncAPI 3 document: what goes through a worker's stdin and stdout, made of the schemas."""

import json
from collections.abc import Mapping
from typing import Any

from agent_workers.protocol.v1 import VERSION
from agent_workers.protocol.v1.control import MESSAGES
from agent_workers.protocol.v1.events import BODIES

Schema = dict[str, Any]

_ABOUT = (
    "A worker is a command-line program: one request comes in, one stream of events goes out, each event a JSON object "
    "on a line of its own. Readers ignore events of an unknown type and unknown fields."
)
_STDIN = "The request: one JSON document. It ends with stdin; under --control it is the first line."
_CONTROL = "Stdin under --control, after the request: one message a line. The end of stdin aborts the run."
_STDOUT = "The events of the run, one a line; the last one is `done`, `error` or `aborted`."
_SCHEMAS = "#/components/schemas/"


def document(schemas: Mapping[str, Schema]) -> Schema:
    """Returns the document of the schemas, which come by their names, such as ``task-request`` and ``event``."""
    requests = [name for name in schemas if name.endswith("request") and "/" not in name]
    events = {kind: _event(schemas["event"], model.__name__) for kind, model in BODIES.items()}
    control = {kind: _message(schemas["control"], "control", model.__name__) for kind, model in MESSAGES.items()}
    channels = {
        "stdin": _channel(_STDIN, {name: name for name in requests}),
        "control": _channel(_CONTROL, {kind: f"control.{kind}" for kind in control}),
        "stdout": _channel(_STDOUT, {kind: f"event.{kind}" for kind in events}),
    }
    messages = {
        **{name: _request(name, schemas[name]) for name in requests},
        **{f"control.{kind}": message for kind, message in control.items()},
        **{f"event.{kind}": message for kind, message in events.items()},
    }
    return {
        "asyncapi": "3.0.0",
        "x-comment": "Generated from agent_workers.protocol.v1 by `make schema`. Do not edit.",
        "info": {"title": "agent-workers", "version": f"{VERSION}", "description": _ABOUT},
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": {
            "run": _operation("receive", "stdin", "Begins a run.") | {"reply": {"channel": _reference("stdout")}},
            "steer": _operation("receive", "control", "Answers what the run asks, tells it more, or stops it."),
            "tell": _operation("send", "stdout", "Tells what happens in the run."),
        },
        "components": {"schemas": _components(schemas, requests), "messages": messages},
    }


def _channel(description: str, messages: Mapping[str, str]) -> Schema:
    references = {name: {"$ref": f"#/components/messages/{of}"} for name, of in messages.items()}
    return {"description": description, "messages": references}


def _operation(action: str, channel: str, summary: str) -> Schema:
    return {"action": action, "channel": _reference(channel), "summary": summary}


def _reference(channel: str) -> Schema:
    return {"$ref": f"#/channels/{channel}"}


def _request(name: str, schema: Schema) -> Schema:
    return _about(name, schema) | {"payload": {"$ref": f"{_SCHEMAS}{name}"}}


def _message(schema: Schema, file: str, name: str) -> Schema:
    definition = schema["$defs"][name]
    return _about(definition["properties"]["type"]["const"], definition) | {"payload": _definition(file, name)}


def _event(schema: Schema, name: str) -> Schema:
    message = _message(schema, "event", name)
    return message | {"payload": {"allOf": [{"$ref": f"{_SCHEMAS}event"}, message["payload"]]}}


def _about(name: str, schema: Schema) -> Schema:
    return {"name": name, "title": schema["title"], "description": schema["description"]}


def _definition(file: str, name: str) -> Schema:
    return {"$ref": f"{_SCHEMAS}{file}.{name}"}


def _components(schemas: Mapping[str, Schema], requests: list[str]) -> Schema:
    """Returns the schemas and all that they define, which is called as its file and itself are: ``event.Usage``."""
    components = {name: _embedded(name, _root(schemas[name])) for name in (*requests, "event")}
    for file in (*requests, "control", "event"):
        definitions = schemas[file].get("$defs", {})
        components |= {f"{file}.{name}": _embedded(file, schema) for name, schema in definitions.items()}
    return components


def _root(schema: Schema) -> Schema:
    """Returns what a file says of one value; which type of an event is checked how is said by the messages."""
    return {key: value for key, value in schema.items() if key[0] != "$" and key != "allOf"}


def _embedded(file: str, schema: Any) -> Any:
    """Returns the schema with its references, which lead to definitions of the same file, as they are here."""
    text = json.dumps(schema)
    return json.loads(text.replace('"$ref": "#/$defs/', f'"$ref": "{_SCHEMAS}{file}.'))
