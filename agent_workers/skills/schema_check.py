"""What a skill's schemas hold that a reader of theirs does not know.

The agent's CLI reads draft 07, and refuses an output schema with a keyword of any other.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent_workers.json_schema import MAX_BYTES
from agent_workers.json_schema.nearest import nearest
from agent_workers.json_schema.spots import id_keyword, spots_in
from agent_workers.protocol.v1.problem import pointer
from agent_workers.skills.ecma_patterns import unreadable_part
from agent_workers.skills.faults import Fault
from agent_workers.wire import dump

if TYPE_CHECKING:
    from collections.abc import Iterator

DRAFT_07 = "http://json-schema.org/draft-07/schema#"

_LATER = frozenset({"$defs", "deprecated"})  # which the CLI knows too
_INSTEAD = {
    "prefixItems": "write items: […], one schema for each item",
    "unevaluatedProperties": "write additionalProperties",
    "unevaluatedItems": "write additionalItems",
    "dependentRequired": "write dependencies",
    "dependentSchemas": "write dependencies",
    "nullable": 'write "type": ["…", "null"]',
    "$anchor": 'refer to it by its place: "#/definitions/…"',
    "id": "write $id, or leave it out",
    "example": "write examples: […]",
    "optional": "leave the field out of required instead",
}
_NEEDED = {"then": ("if",), "else": ("if",), "if": ("then", "else")}


def keyword_faults(file: str, schema: dict[str, Any], *, for_the_cli: bool) -> Iterator[Fault]:
    """Yields the keywords that draft 07 does not have, or that are without effect.

    Args:
        file: The schema's file.
        schema: The schema.
        for_the_cli: Whether the agent's CLI reads it too.
    """
    from jsonschema import Draft7Validator
    from jsonschema.validators import validator_for

    if for_the_cli and (size := len(dump(schema))) > MAX_BYTES:
        words = f"must be at most {MAX_BYTES} bytes as compact JSON, and has {size}: the model reads it at each turn"
        yield Fault(file, "", words)
    known = frozenset(Draft7Validator.META_SCHEMA["properties"]) | _LATER
    dialect = schema.get("$schema")
    if isinstance(dialect, str) and validator_for({"$schema": dialect}, default=None) is None:  # type: ignore[arg-type]  # the stubs lack it
        yield Fault(file, "/$schema", f"names no dialect that is known here; write {DRAFT_07}")
    for place, part, _ in spots_in(schema, id_keyword(schema)):
        for keyword in part:
            if keyword not in known and not (keyword.startswith("x-") and not for_the_cli):
                yield Fault(file, pointer((*place, keyword)), _unknown(keyword, known))
            needed = _NEEDED.get(keyword, ())
            if needed and not any(each in part for each in needed):
                yield Fault(file, pointer((*place, keyword)), f"has no effect without {' or '.join(needed)}")
        if _repeats(part.get("enum")):
            yield Fault(file, pointer((*place, "enum")), "lists a value more than once; keep one of them")
        if for_the_cli:
            yield from _pattern_faults(file, place, part)


def _unknown(keyword: str, known: frozenset[str]) -> str:
    words = "is no keyword of JSON Schema draft 07"
    if keyword in _INSTEAD:
        return f"{words}; {_INSTEAD[keyword]}"
    near = nearest(keyword, sorted(known))
    return f"{words}; did you mean {near[0]}?" if near else f"{words}; remove it"


def _repeats(values: Any) -> bool:
    if not isinstance(values, list):
        return False
    told = [json.dumps(value, sort_keys=True) for value in values]
    return len(set(told)) < len(told)


def _pattern_faults(file: str, place: tuple[str | int, ...], part: dict[str, Any]) -> Iterator[Fault]:
    named = part.get("patternProperties")
    patterns = [(("patternProperties", name), name) for name in named] if isinstance(named, dict) else []
    for where, pattern in [*patterns, (("pattern",), part.get("pattern"))]:
        if isinstance(pattern, str) and (odd := unreadable_part(pattern)):
            words = f"must be a regular expression that JavaScript reads too, and there it ends at {odd!a}"
            yield Fault(file, pointer((*place, *where)), words)
