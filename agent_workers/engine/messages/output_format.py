"""A request's ``output_schema``: as a format for the API, or as words for the prompt; and the output in an answer."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from agent_workers.engine.messages.definitions import BeyondDialect, name_of
from agent_workers.engine.messages.dialect import in_dialect
from agent_workers.protocol.document import parse_json
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.protocol.value import well_formed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent_workers.engine.messages.keywords import Schema

_MOST_OPTIONAL = 24
_MOST_UNIONS = 16
# What a keyword causes that is none in the schema's own draft, and so may have any form, or a schema that nests deep.
_OF_ANOTHER_FORM = (TypeError, AttributeError, LookupError, ValueError, OverflowError, RecursionError)
_FENCE = "```"
_OPENING = re.compile(r"```[\w-]*")


def format_of(schema: Mapping[str, Any]) -> Schema | None:
    """Returns the schema for the API's ``output_config.format``; None where the API cannot have it.

    It is None where the API's dialect cannot say what the schema means, and where the API would refuse the number of
    its optional fields or unions. The prompt then says the schema, with ``in_words``.

    Args:
        schema: A valid schema of an object, without references to other documents.
    """
    try:
        found = in_dialect(schema)
    except (BeyondDialect, *_OF_ANOTHER_FORM):
        return None
    optional, unions = _counted(found)
    return None if optional > _MOST_OPTIONAL or unions > _MOST_UNIONS else found


def in_words(schema: Mapping[str, Any]) -> str:
    """Returns the paragraph for the prompt that asks for an object of this schema."""
    written = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    return f"Answer with one JSON object and nothing else, no code fence. It must satisfy this JSON Schema: {written}"


def output_of(text: str) -> dict[str, Any] | None:
    """Returns the object that an answer is, maybe within one Markdown code fence; None where it is none."""
    text = text.strip()
    if (opening := _OPENING.match(text)) and text.endswith(_FENCE):
        text = text[opening.end() : -len(_FENCE)]
    try:
        found = parse_json(well_formed(text).encode())
    except RequestProblems:
        return None
    return found if isinstance(found, dict) else None


def _counted(schema: Schema) -> tuple[int, int]:
    """Returns how many optional fields and how many unions a schema has, a definition's as often as it is used."""

    @cache
    def of_definition(name: str) -> tuple[int, int]:
        return of(schema["$defs"][name])

    def of(part: Schema) -> tuple[int, int]:
        if "$ref" in part:
            return of_definition(name_of(part["$ref"]))
        properties = part.get("properties", {})
        own = len(properties) - len(part.get("required", ())), int("anyOf" in part)
        below = [of(each) for each in _parts(part)]
        return own[0] + sum(optional for optional, _ in below), own[1] + sum(unions for _, unions in below)

    return of(schema)


def _parts(part: Schema) -> Iterator[Schema]:
    yield from part.get("properties", {}).values()
    yield from (part[name] for name in ("items",) if name in part)
    yield from (*part.get("anyOf", ()), *part.get("allOf", ()))
