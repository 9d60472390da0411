"""What a JSON Schema knows below it: paths into values that it describes, and the types they may have there.

In doubt a path is known and may have any type: the schema may be faulty itself, which is told elsewhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from agent_workers.skills.pointers import EACH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KINDS = frozenset({"string", "integer", "number", "boolean", "null", "array", "object"})
"""JSON Schema's types. What may be any number has two of them."""

_DEEPEST = 64
_ANYTHING: dict[str, Any] = {}
_OF_OBJECTS = ("properties", "patternProperties", "additionalProperties")
_OF_LISTS = ("items", "prefixItems")


class Known(NamedTuple):
    """What a schema says of a place.

    Attributes:
        schemas: Those that may describe the values there.
        kinds: The types that the values may have.
    """

    schemas: list[Any]
    kinds: frozenset[str]


class Unknown(NamedTuple):
    """Where a path leaves what a schema knows.

    Attributes:
        depth: How many steps are known.
        kinds: The types of the value that these lead to.
        names: The fields that it has.
    """

    depth: int
    kinds: frozenset[str]
    names: list[str]


class SchemaPaths:
    """Follows paths through a schema.

    Args:
        root: The schema, sound or not.
    """

    def __init__(self, root: Any) -> None:
        self._root = root
        self._kinds: dict[int, frozenset[str]] = {}
        self._depth = 0

    def find(self, path: Sequence[str]) -> Known | Unknown:
        """Follows a path of names, numbers of items, and ``*``."""
        schemas: list[Any] = [self._root]
        for depth, step in enumerate(path):
            parts = list(self.parts(schemas))
            kinds = self.kinds(schemas)
            below = list(_below(parts, kinds, step))
            if not below:
                return Unknown(depth, kinds, sorted({name for part in parts for name in _table(part, "properties")}))
            schemas = below
        return Known(schemas, self.kinds(schemas))

    def kinds(self, schemas: Sequence[Any]) -> frozenset[str]:
        """Returns the types of values that one of the schemas describes."""
        return frozenset[str]().union(*map(self._kinds_of, schemas))

    def parts(self, schemas: Sequence[Any], *, always: bool = False) -> Iterator[dict[str, Any]]:
        """Yields the schemas and those in them that apply to the same value, the outer ones first.

        Args:
            schemas: The schemas.
            always: Whether to leave those out that apply to some values only.
        """
        waiting, seen = list(reversed(schemas)), set[int]()
        while waiting:
            schema = waiting.pop()
            if not isinstance(schema, dict) or id(schema) in seen:
                continue
            seen.add(id(schema))
            yield schema
            waiting += _list(schema, "allOf")
            if not always:
                waiting += [part for keyword in ("anyOf", "oneOf") for part in _list(schema, keyword)]
                waiting += [schema[keyword] for keyword in ("then", "else") if keyword in schema]
            if "$ref" in schema:
                waiting.append(self._target(schema["$ref"]))

    def _kinds_of(self, schema: Any) -> frozenset[str]:
        if not isinstance(schema, dict):
            return frozenset() if schema is False else KINDS
        if id(schema) not in self._kinds:
            if self._depth == _DEEPEST:
                return KINDS
            self._kinds[id(schema)] = KINDS  # where references go in a circle, the other keywords decide
            self._depth += 1
            self._kinds[id(schema)] = self._said(schema)
            self._depth -= 1
        return self._kinds[id(schema)]

    def _said(self, schema: dict[str, Any]) -> frozenset[str]:
        kinds = _own_kinds(schema)
        if "$ref" in schema:
            kinds &= self._kinds_of(self._target(schema["$ref"]))
        for part in _list(schema, "allOf"):
            kinds &= self._kinds_of(part)
        for keyword in ("anyOf", "oneOf"):
            if choices := _list(schema, keyword):
                kinds &= self.kinds(choices)
        if kinds == KINDS and any(keyword in schema for keyword in _OF_OBJECTS):
            return frozenset({"object"})  # meant as one
        return frozenset({"array"}) if kinds == KINDS and any(keyword in schema for keyword in _OF_LISTS) else kinds

    def _target(self, reference: Any) -> Any:
        if not isinstance(reference, str) or not re.match(r"#(/|$)", reference):
            return _ANYTHING
        value = self._root
        for step in _steps(unquote(reference[1:])):
            if isinstance(value, dict) and step in value:
                value = value[step]
            elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
            else:
                return _ANYTHING
        return value


def _below(parts: list[dict[str, Any]], kinds: frozenset[str], step: str) -> Iterator[Any]:
    found = [
        each
        for part in parts
        for each in (*_fields(part, step), *(_items(part, step) if "array" in kinds else ()))
        if each is not False
    ]
    yield from found or (each for part in parts for each in _others(part))
    if not found and _is_open(parts, kinds, step):
        yield _ANYTHING


def _fields(part: dict[str, Any], step: str) -> Iterator[Any]:
    patterns = _table(part, "patternProperties")
    if step == EACH:
        yield from patterns.values()
        return
    if step in _table(part, "properties"):
        yield part["properties"][step]
    yield from (schema for pattern, schema in patterns.items() if _matches(pattern, step))


def _others(part: dict[str, Any]) -> Iterator[Any]:
    """Yields what describes the fields that have no name in the schema."""
    others = part.get("additionalProperties", False)
    if others is not False:
        yield others


def _items(part: dict[str, Any], step: str) -> Iterator[Any]:
    if step != EACH and not _is_number(step):
        return
    for keyword in _OF_LISTS:
        items = part.get(keyword)
        if not isinstance(items, list):
            yield from [items] if keyword in part else []
        elif step == EACH:
            yield from items
        elif int(step) < len(items):
            yield items[int(step)]
        else:
            yield part.get("additionalItems", _ANYTHING)


def _is_open(parts: list[dict[str, Any]], kinds: frozenset[str], step: str) -> bool:
    """Whether the schema lets a list or an object hold anything."""
    of_list = step == EACH or _is_number(step)
    if of_list and "array" in kinds and not any(keyword in part for part in parts for keyword in _OF_LISTS):
        return True
    return "object" in kinds and not any(keyword in part for part in parts for keyword in _OF_OBJECTS)


def _is_number(step: str) -> bool:
    return bool(re.fullmatch(r"0|[1-9][0-9]{0,8}", step))


def _matches(pattern: str, name: str) -> bool:
    try:
        return bool(re.search(pattern, name))
    except (re.error, OverflowError, RecursionError):
        return True


def _own_kinds(schema: dict[str, Any]) -> frozenset[str]:
    kinds = KINDS
    types = schema.get("type")
    named = {kind for kind in (types if isinstance(types, list) else [types]) if isinstance(kind, str)} & KINDS
    if named:
        kinds &= named | ({"integer"} if "number" in named else set())
    if "const" in schema:
        return kinds & {_kind(schema["const"])}
    values = schema.get("enum")
    return kinds & set(map(_kind, values)) if isinstance(values, list) and values else kinds


def _kind(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "null" if value is None else "boolean"
    if isinstance(value, int | float):
        return "integer" if value == int(value) else "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _steps(fragment: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in fragment.split("/")[1:]]


def _table(part: dict[str, Any], keyword: str) -> dict[str, Any]:
    found = part.get(keyword)
    return found if isinstance(found, dict) else {}


def _list(part: dict[str, Any], keyword: str) -> list[Any]:
    found = part.get(keyword)
    return found if isinstance(found, list) else []
