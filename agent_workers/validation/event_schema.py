"""One event against the contract's JSON Schema, in plain words."""

from __future__ import annotations

import json
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from agent_workers.protocol.schema import export
from agent_workers.protocol.v1.fields import PATTERN_WORDS
from agent_workers.protocol.v1.problem import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema import ValidationError

_ARTICLES = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}
_BOUNDS = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be greater than {}",
    "minLength": "must have at least {} characters",
    "minItems": "must have at least {} items",
}


class EventSchema:
    """The schemas of all event types: each event is checked against its own, an unknown one against the general."""

    def is_valid(self, event: dict[str, Any]) -> bool:
        """Returns whether an event has no fault; it stops at the first."""
        return bool(self._validator_of(event).is_valid(event))

    def faults(self, event: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Yields the pointer and the message of each fault."""
        found = (fault for error in self._validator_of(event).iter_errors(event) for fault in _explained(error))
        yield from dict.fromkeys(found)

    def _validator_of(self, event: dict[str, Any]) -> Draft202012Validator:
        return self._validators.get(str(event.get("type"))) or self._validators[""]

    @cached_property
    def _validators(self) -> dict[str, Draft202012Validator]:
        schemas = export({})
        folder = "v1/events/"
        named = {
            path.removeprefix(folder).removesuffix(".schema.json"): text
            for path, text in schemas.items()
            if path.startswith(folder)
        }
        named[""] = schemas["v1/event.schema.json"]
        return {name: Draft202012Validator(json.loads(text)) for name, text in named.items()}


@cache
def event_schema() -> EventSchema:
    """Returns the schemas, which take a while to make, once for all streams of this process."""
    return EventSchema()


def _explained(error: ValidationError) -> Iterator[tuple[str, str]]:
    path = list(error.absolute_path)
    instance: Any = error.instance
    value: Any = error.validator_value
    if error.validator == "required":
        yield from ((pointer([*path, name]), "is required") for name in value if name not in instance)
    else:
        yield pointer(path), _sentence(str(error.validator), value)


def _sentence(keyword: str, value: Any) -> str:
    if keyword == "type" and value in _ARTICLES:
        return f"must be {_ARTICLES[value]}"
    if keyword in ("const", "enum"):
        allowed = [value] if keyword == "const" else value
        return f"must be {' or '.join(json.dumps(each) for each in allowed)}"
    if keyword == "pattern":
        return PATTERN_WORDS.get(value, "does not have the right form")
    return _BOUNDS.get(keyword, f"breaks the schema's {keyword}").format(value)
