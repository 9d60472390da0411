"""JSON Schemas that callers wrote: what is wrong with them, and validators that fetch nothing."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from agent_workers.json_schema.objects import object_fault
from agent_workers.json_schema.references import References, foreign_reference
from agent_workers.json_schema.spots import Fault, Place, Spot, id_keyword, spots_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

__all__ = ["MAX_BYTES", "Fault", "Place", "schema_fault", "schema_faults", "validator_of"]

MAX_BYTES = 128 * 1024 - 1
"""Most bytes of an output's schema, as compact JSON: the model reads all of it, at each of its turns."""


def validator_of(schema: dict[str, Any]) -> Validator:
    """Returns a validator of the schema's own dialect, 2020-12 by default. It fetches nothing from the network."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for
    from referencing.jsonschema import EMPTY_REGISTRY

    return validator_for(schema, default=Draft202012Validator)(schema, registry=EMPTY_REGISTRY)


def schema_fault(schema: dict[str, Any], *, python_patterns: bool = False) -> Fault | None:
    """Says why a schema cannot be used for an object; None where it can.

    Args:
        schema: Any JSON object.
        python_patterns: Whether Python must be able to compile its patterns, because they are checked here.
    """
    return _fault_of(json.dumps(schema), python_patterns)


@lru_cache(maxsize=32)
def _fault_of(text: str, python_patterns: bool) -> Fault | None:
    """Looks at the text of a schema once: many runs of one process have the same."""
    return next(schema_faults(json.loads(text), python_patterns=python_patterns), None)


def schema_faults(schema: dict[str, Any], *, python_patterns: bool = False) -> Iterator[Fault]:
    """Yields why a schema cannot be used for an object: all that each step finds, up to the first that finds any.

    Args:
        schema: Any JSON object.
        python_patterns: Whether Python must be able to compile its patterns, because they are checked here.
    """
    if not isinstance(schema.get("$schema", ""), str):
        yield Fault(("$schema",), "must be a string")
        return
    spots = list(spots_in(schema, id_keyword(schema)))
    found = False
    for fault in chain(filter(None, map(foreign_reference, spots)), _invalid(schema)):
        found = True
        yield fault
    if found:
        return
    dialect = {"$schema": schema["$schema"]} if "$schema" in schema else {}
    references = References(schema, spots, lambda part: next(_invalid({**part, **dialect}), None))
    if unusable := references.fault() or object_fault(spots[0], references.find):
        yield unusable
    elif python_patterns:
        yield from _unreadable_patterns(references.spots.values())


def _invalid(schema: dict[str, Any]) -> Iterator[Fault]:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for

    rules = validator_for(schema, default=Draft202012Validator).META_SCHEMA
    # Without formats: the metaschema's "regex" is ECMA-262, which Python's own cannot check.
    for error in validator_for(rules, default=Draft202012Validator)(rules).iter_errors(schema):
        yield Fault(tuple(error.absolute_path), f"is not valid JSON Schema: {_broken_rule(error)}")


def _broken_rule(error: ValidationError) -> str:
    """Says what the metaschema wants, without the offending value: that may be long, or private."""
    for rule in (error, *(error.context or ())):
        if rule.validator == "enum":
            return f"must be one of {', '.join(map(str, rule.validator_value))}"
        if rule.validator == "type":
            kinds = rule.validator_value
            return f"must be of the type {' or '.join(kinds) if isinstance(kinds, list) else kinds}"
    bound = f": {error.validator_value}" if isinstance(error.validator_value, int | str) else ""
    return f"breaks the rule {error.validator!r}{bound}"


def _unreadable_patterns(spots: Iterable[Spot]) -> Iterator[Fault]:
    for place, schema, _ in spots:
        named = schema.get("patternProperties", {})
        patterns = [(("patternProperties", name), name) for name in named] if isinstance(named, dict) else []
        for where, pattern in [*patterns, (("pattern",), schema.get("pattern"))]:
            if isinstance(pattern, str) and not _compiles(pattern):
                yield Fault((*place, *where), "must be a regular expression that Python's re module can compile")


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True
